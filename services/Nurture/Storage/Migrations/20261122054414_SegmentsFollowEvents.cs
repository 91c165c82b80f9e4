using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Nurture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class SegmentsFollowEvents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "is_list",
                schema: "nurture",
                table: "segment",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "judged_leads",
                schema: "nurture",
                table: "segment",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "keyword",
                schema: "nurture",
                table: "lead",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "landing_page",
                schema: "nurture",
                table: "lead",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "last_touch",
                schema: "nurture",
                table: "lead",
                type: "jsonb",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "activity",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    session_id = table.Column<Guid>(type: "uuid", nullable: true),
                    url = table.Column<string>(type: "text", nullable: true),
                    properties = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_activity", x => new { x.workspace_id, x.lead_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "import_job",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    request_id = table.Column<string>(type: "text", nullable: false),
                    rows = table.Column<long>(type: "bigint", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    answer = table.Column<string>(type: "text", nullable: false),
                    complete = table.Column<bool>(type: "boolean", nullable: false),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_job", x => new { x.workspace_id, x.kind, x.request_id });
                });

            migrationBuilder.CreateTable(
                name: "segment_revision",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    revision = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_segment_revision", x => x.workspace_id);
                });

            migrationBuilder.CreateTable(
                name: "segment_timer",
                schema: "nurture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    segment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    due_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_segment_timer", x => new { x.workspace_id, x.segment_id, x.lead_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_email",
                schema: "nurture",
                table: "lead",
                columns: new[] { "workspace_id", "email" },
                filter: "email is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_external_id",
                schema: "nurture",
                table: "lead",
                columns: new[] { "workspace_id", "external_id" },
                filter: "external_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_activity_time",
                schema: "nurture",
                table: "activity",
                column: "time")
                .Annotation("Npgsql:IndexMethod", "brin");

            migrationBuilder.CreateIndex(
                name: "ix_import_job_workspace_id_update_time",
                schema: "nurture",
                table: "import_job",
                columns: new[] { "workspace_id", "update_time" });

            migrationBuilder.CreateIndex(
                name: "ix_segment_timer_workspace_id_due_time",
                schema: "nurture",
                table: "segment_timer",
                columns: new[] { "workspace_id", "due_time" });

            migrationBuilder.CreateIndex(
                name: "ix_segment_timer_workspace_id_lead_id",
                schema: "nurture",
                table: "segment_timer",
                columns: new[] { "workspace_id", "lead_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "activity",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "import_job",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "segment_revision",
                schema: "nurture");

            migrationBuilder.DropTable(
                name: "segment_timer",
                schema: "nurture");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_email",
                schema: "nurture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_external_id",
                schema: "nurture",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "is_list",
                schema: "nurture",
                table: "segment");

            migrationBuilder.DropColumn(
                name: "judged_leads",
                schema: "nurture",
                table: "segment");

            migrationBuilder.DropColumn(
                name: "keyword",
                schema: "nurture",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "landing_page",
                schema: "nurture",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "last_touch",
                schema: "nurture",
                table: "lead");
        }
    }
}
