using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ExpansionOutcomes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "opportunity_version",
                schema: "retention",
                table: "expansion_suggestion",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "outcome",
                schema: "retention",
                table: "expansion_suggestion",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateIndex(
                name: "ix_expansion_suggestion_workspace_id_create_time",
                schema: "retention",
                table: "expansion_suggestion",
                columns: new[] { "workspace_id", "create_time" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_expansion_suggestion_workspace_id_create_time",
                schema: "retention",
                table: "expansion_suggestion");

            migrationBuilder.DropColumn(
                name: "opportunity_version",
                schema: "retention",
                table: "expansion_suggestion");

            migrationBuilder.DropColumn(
                name: "outcome",
                schema: "retention",
                table: "expansion_suggestion");
        }
    }
}
