using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Nurture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class MailSettings : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "complain_time",
                schema: "nurture",
                table: "message",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "content",
                schema: "nurture",
                table: "message",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "request_id",
                schema: "nurture",
                table: "message",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "slot_time",
                schema: "nurture",
                table: "message",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "dkim_key",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    domain = table.Column<string>(type: "text", nullable: false),
                    selector = table.Column<string>(type: "text", nullable: false),
                    private_key = table.Column<string>(type: "text", nullable: false),
                    dns_record = table.Column<string>(type: "text", nullable: false),
                    active = table.Column<bool>(type: "boolean", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_dkim_key", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "domain_pace",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    domain = table.Column<string>(type: "text", nullable: false),
                    next_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_domain_pace", x => new { x.workspace_id, x.domain });
                });

            migrationBuilder.CreateTable(
                name: "mail_settings",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    from_name = table.Column<string>(type: "text", nullable: false),
                    from_address = table.Column<string>(type: "text", nullable: false),
                    reply_to = table.Column<string>(type: "text", nullable: false),
                    bounce_address = table.Column<string>(type: "text", nullable: false),
                    relay_host = table.Column<string>(type: "text", nullable: false),
                    relay_port = table.Column<int>(type: "integer", nullable: false),
                    relay_tls = table.Column<string>(type: "text", nullable: false),
                    relay_user = table.Column<string>(type: "text", nullable: false),
                    relay_password = table.Column<string>(type: "text", nullable: false),
                    relay_certificate = table.Column<string>(type: "text", nullable: false),
                    per_minute = table.Column<int>(type: "integer", nullable: false),
                    domain_limits = table.Column<string>(type: "jsonb", nullable: false),
                    soft_bounce_limit = table.Column<int>(type: "integer", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_mail_settings", x => x.workspace_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_request_id",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "request_id" },
                unique: true,
                filter: "request_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_dkim_key_workspace_id_domain_selector",
                schema: "nurture",
                table: "dkim_key",
                columns: new[] { "workspace_id", "domain", "selector" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "dkim_key",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "domain_pace",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "mail_settings",
                schema: "nurture");

            migrationBuilder.DropIndex(
                name: "ix_message_workspace_id_request_id",
                schema: "nurture",
                table: "message");

            migrationBuilder.DropColumn(
                name: "complain_time",
                schema: "nurture",
                table: "message");

            migrationBuilder.DropColumn(
                name: "content",
                schema: "nurture",
                table: "message");

            migrationBuilder.DropColumn(
                name: "request_id",
                schema: "nurture",
                table: "message");

            migrationBuilder.DropColumn(
                name: "slot_time",
                schema: "nurture",
                table: "message");
        }
    }
}
