using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ListOrders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_referral_link_workspace_id_create_time_id",
                schema: "retention",
                table: "referral_link",
                columns: new[] { "workspace_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_referral_workspace_id_create_time_id",
                schema: "retention",
                table: "referral",
                columns: new[] { "workspace_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_loyalty_member_workspace_id_program_id_balance_customer_id",
                schema: "retention",
                table: "loyalty_member",
                columns: new[] { "workspace_id", "program_id", "balance", "customer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_advocacy_workspace_id_create_time_id",
                schema: "retention",
                table: "advocacy",
                columns: new[] { "workspace_id", "create_time", "id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_referral_link_workspace_id_create_time_id",
                schema: "retention",
                table: "referral_link");

            migrationBuilder.DropIndex(
                name: "ix_referral_workspace_id_create_time_id",
                schema: "retention",
                table: "referral");

            migrationBuilder.DropIndex(
                name: "ix_loyalty_member_workspace_id_program_id_balance_customer_id",
                schema: "retention",
                table: "loyalty_member");

            migrationBuilder.DropIndex(
                name: "ix_advocacy_workspace_id_create_time_id",
                schema: "retention",
                table: "advocacy");
        }
    }
}
