using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <inheritdoc />
    public partial class CrmSync : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "field_times",
                schema: "conversion",
                table: "opportunity",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.CreateTable(
                name: "analytics_export",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    enabled = table.Column<bool>(type: "boolean", nullable: false),
                    endpoint = table.Column<string>(type: "text", nullable: false),
                    measurement_id = table.Column<string>(type: "text", nullable: false),
                    api_secret = table.Column<string>(type: "text", nullable: true),
                    event_name = table.Column<string>(type: "text", nullable: false),
                    client_id_trait = table.Column<string>(type: "text", nullable: false),
                    disable_reason = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_analytics_export", x => x.workspace_id);
                });

            migrationBuilder.CreateTable(
                name: "crm_connection",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    enabled = table.Column<bool>(type: "boolean", nullable: false),
                    disable_reason = table.Column<string>(type: "text", nullable: true),
                    outbound_url = table.Column<string>(type: "text", nullable: true),
                    field_map = table.Column<string>(type: "jsonb", nullable: false),
                    inbound = table.Column<string>(type: "jsonb", nullable: false),
                    pull_url = table.Column<string>(type: "text", nullable: true),
                    auth_header = table.Column<string>(type: "text", nullable: false),
                    auth_secret = table.Column<string>(type: "text", nullable: true),
                    pull_mapping = table.Column<string>(type: "jsonb", nullable: true),
                    next_cursor = table.Column<string>(type: "text", nullable: false),
                    interval_seconds = table.Column<int>(type: "integer", nullable: false),
                    pull_due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    pull_since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_pull_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_pull_error = table.Column<string>(type: "text", nullable: true),
                    pull_failures = table.Column<int>(type: "integer", nullable: false),
                    secret = table.Column<string>(type: "text", nullable: false),
                    previous_secret = table.Column<string>(type: "text", nullable: true),
                    previous_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_crm_connection", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "crm_receipt",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    connection_id = table.Column<Guid>(type: "uuid", nullable: false),
                    webhook_id = table.Column<string>(type: "text", nullable: false),
                    receive_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    applied = table.Column<int>(type: "integer", nullable: false),
                    unchanged = table.Column<int>(type: "integer", nullable: false),
                    ignored = table.Column<int>(type: "integer", nullable: false),
                    rejected = table.Column<int>(type: "integer", nullable: false),
                    errors = table.Column<string[]>(type: "text[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_crm_receipt", x => new { x.workspace_id, x.connection_id, x.webhook_id });
                });

            migrationBuilder.CreateTable(
                name: "webhook_attempt",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    delivery_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: false),
                    error = table.Column<string>(type: "text", nullable: true),
                    milliseconds = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhook_attempt", x => new { x.workspace_id, x.delivery_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "webhook_delivery",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    endpoint_id = table.Column<Guid>(type: "uuid", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    webhook_id = table.Column<string>(type: "text", nullable: false),
                    body = table.Column<string>(type: "text", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhook_delivery", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_crm_receipt_workspace_id_connection_id_receive_time",
                schema: "conversion",
                table: "crm_receipt",
                columns: new[] { "workspace_id", "connection_id", "receive_time" });

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_workspace_id_due_time",
                schema: "conversion",
                table: "webhook_delivery",
                columns: new[] { "workspace_id", "due_time" },
                filter: "due_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_workspace_id_endpoint_id_create_time_id",
                schema: "conversion",
                table: "webhook_delivery",
                columns: new[] { "workspace_id", "endpoint_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_workspace_id_lead_id",
                schema: "conversion",
                table: "webhook_delivery",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "lead_id is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "analytics_export",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "crm_connection",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "crm_receipt",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "webhook_attempt",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "webhook_delivery",
                schema: "conversion");

            migrationBuilder.DropColumn(
                name: "field_times",
                schema: "conversion",
                table: "opportunity");
        }
    }
}
