using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Nurture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ProgramGraphs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropPrimaryKey(
                name: "pk_step_visit",
                schema: "nurture",
                table: "step_visit");

            migrationBuilder.DropIndex(
                name: "ix_message_workspace_id_enrollment_id_step_id",
                schema: "nurture",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_enrollment_workspace_id_lead_id_program_id",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.AddColumn<int>(
                name: "visit",
                schema: "nurture",
                table: "step_visit",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "visit",
                schema: "nurture",
                table: "message",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "attempts",
                schema: "nurture",
                table: "enrollment",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "event_time",
                schema: "nurture",
                table: "enrollment",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "fault",
                schema: "nurture",
                table: "enrollment",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "key",
                schema: "nurture",
                table: "enrollment",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<int>(
                name: "path_version",
                schema: "nurture",
                table: "enrollment",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "step_time",
                schema: "nurture",
                table: "enrollment",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "visit",
                schema: "nurture",
                table: "enrollment",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "waits_for",
                schema: "nurture",
                table: "enrollment",
                type: "text",
                nullable: true);

            migrationBuilder.AddPrimaryKey(
                name: "pk_step_visit",
                schema: "nurture",
                table: "step_visit",
                columns: new[] { "workspace_id", "enrollment_id", "step_id", "visit" });

            migrationBuilder.CreateTable(
                name: "notify_endpoint",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    secret = table.Column<string>(type: "text", nullable: false),
                    enabled = table.Column<bool>(type: "boolean", nullable: false),
                    disable_reason = table.Column<string>(type: "text", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notify_endpoint", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "program_call",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    enrollment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step_id = table.Column<string>(type: "text", nullable: false),
                    trait = table.Column<string>(type: "text", nullable: true),
                    value = table.Column<string>(type: "text", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_program_call", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "program_version",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    program_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    path = table.Column<string>(type: "jsonb", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_program_version", x => new { x.workspace_id, x.program_id, x.version });
                });

            migrationBuilder.CreateTable(
                name: "sending_policy",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    policy = table.Column<string>(type: "jsonb", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_sending_policy", x => x.workspace_id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_attempt",
                schema: "nurture",
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
                schema: "nurture",
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
                name: "ix_message_workspace_id_enrollment_id_step_id_visit",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "enrollment_id", "step_id", "visit" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_workspace_id_lead_id_program_id_key",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "lead_id", "program_id", "key" },
                unique: true,
                filter: "state = 'ACTIVE'");

            migrationBuilder.CreateIndex(
                name: "ix_program_call_workspace_id_due_time",
                schema: "nurture",
                table: "program_call",
                columns: new[] { "workspace_id", "due_time" },
                filter: "state = 'PENDING'");

            migrationBuilder.CreateIndex(
                name: "ix_program_call_workspace_id_lead_id",
                schema: "nurture",
                table: "program_call",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_workspace_id_due_time",
                schema: "nurture",
                table: "webhook_delivery",
                columns: new[] { "workspace_id", "due_time" },
                filter: "due_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_workspace_id_endpoint_id_create_time_id",
                schema: "nurture",
                table: "webhook_delivery",
                columns: new[] { "workspace_id", "endpoint_id", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_workspace_id_lead_id",
                schema: "nurture",
                table: "webhook_delivery",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "lead_id is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notify_endpoint",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "program_call",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "program_version",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "sending_policy",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "webhook_attempt",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "webhook_delivery",
                schema: "nurture");

            migrationBuilder.DropPrimaryKey(
                name: "pk_step_visit",
                schema: "nurture",
                table: "step_visit");

            migrationBuilder.DropIndex(
                name: "ix_message_workspace_id_enrollment_id_step_id_visit",
                schema: "nurture",
                table: "message");

            migrationBuilder.DropIndex(
                name: "ix_enrollment_workspace_id_lead_id_program_id_key",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "visit",
                schema: "nurture",
                table: "step_visit");

            migrationBuilder.DropColumn(
                name: "visit",
                schema: "nurture",
                table: "message");

            migrationBuilder.DropColumn(
                name: "attempts",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "event_time",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "fault",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "key",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "path_version",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "step_time",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "visit",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.DropColumn(
                name: "waits_for",
                schema: "nurture",
                table: "enrollment");

            migrationBuilder.AddPrimaryKey(
                name: "pk_step_visit",
                schema: "nurture",
                table: "step_visit",
                columns: new[] { "workspace_id", "enrollment_id", "step_id" });

            migrationBuilder.CreateIndex(
                name: "ix_message_workspace_id_enrollment_id_step_id",
                schema: "nurture",
                table: "message",
                columns: new[] { "workspace_id", "enrollment_id", "step_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_enrollment_workspace_id_lead_id_program_id",
                schema: "nurture",
                table: "enrollment",
                columns: new[] { "workspace_id", "lead_id", "program_id" },
                unique: true,
                filter: "state = 'ACTIVE'");
        }
    }
}
