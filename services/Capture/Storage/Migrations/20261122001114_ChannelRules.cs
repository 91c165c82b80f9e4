using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ChannelRules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "bot_until",
                schema: "capture",
                table: "visitor",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "channel_rules",
                schema: "capture",
                table: "session",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "referrer_host",
                schema: "capture",
                table: "session",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "referrer_host",
                schema: "capture",
                table: "activity",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "channel_settings",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    settings = table.Column<string>(type: "jsonb", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_channel_settings", x => new { x.workspace_id, x.version });
                });

            migrationBuilder.CreateTable(
                name: "reclassification",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    rules = table.Column<string>(type: "text", nullable: false),
                    part = table.Column<string>(type: "text", nullable: false),
                    cursor_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    cursor_id = table.Column<Guid>(type: "uuid", nullable: true),
                    total = table.Column<long>(type: "bigint", nullable: false),
                    processed = table.Column<long>(type: "bigint", nullable: false),
                    changed_sessions = table.Column<long>(type: "bigint", nullable: false),
                    changed_leads = table.Column<long>(type: "bigint", nullable: false),
                    changed_spend = table.Column<long>(type: "bigint", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    finish_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    actor = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reclassification", x => x.workspace_id);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "channel_settings",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "reclassification",
                schema: "capture");

            migrationBuilder.DropColumn(
                name: "bot_until",
                schema: "capture",
                table: "visitor");

            migrationBuilder.DropColumn(
                name: "channel_rules",
                schema: "capture",
                table: "session");

            migrationBuilder.DropColumn(
                name: "referrer_host",
                schema: "capture",
                table: "session");

            migrationBuilder.DropColumn(
                name: "referrer_host",
                schema: "capture",
                table: "activity");
        }
    }
}
