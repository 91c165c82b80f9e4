using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class AdvocateRule : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "consent_time",
                schema: "retention",
                table: "advocacy",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "consent_withdraw_time",
                schema: "retention",
                table: "advocacy",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "publish_time",
                schema: "retention",
                table: "advocacy",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "advocate_rule",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    min_referrals = table.Column<int>(type: "integer", nullable: false),
                    referral_state = table.Column<string>(type: "text", nullable: false),
                    min_advocacy = table.Column<int>(type: "integer", nullable: false),
                    advocacy_kinds = table.Column<string[]>(type: "text[]", nullable: false),
                    needs_promoter = table.Column<bool>(type: "boolean", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_advocate_rule", x => new { x.workspace_id, x.version });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "advocate_rule",
                schema: "retention");

            migrationBuilder.DropColumn(
                name: "consent_time",
                schema: "retention",
                table: "advocacy");

            migrationBuilder.DropColumn(
                name: "consent_withdraw_time",
                schema: "retention",
                table: "advocacy");

            migrationBuilder.DropColumn(
                name: "publish_time",
                schema: "retention",
                table: "advocacy");
        }
    }
}
