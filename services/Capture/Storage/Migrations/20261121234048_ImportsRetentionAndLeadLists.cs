using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ImportsRetentionAndLeadLists : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "observed",
                schema: "capture",
                table: "lead",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.CreateTable(
                name: "data_retention",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    anonymous_activity_days = table.Column<int>(type: "integer", nullable: true),
                    lead_activity_days = table.Column<int>(type: "integer", nullable: true),
                    inactive_lead_days = table.Column<int>(type: "integer", nullable: true),
                    update_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    apply_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_data_retention", x => x.workspace_id);
                });

            migrationBuilder.CreateTable(
                name: "import_job",
                schema: "capture",
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

            migrationBuilder.CreateIndex(
                name: "ix_visitor_workspace_id_last_time",
                schema: "capture",
                table: "visitor",
                columns: new[] { "workspace_id", "last_time" },
                filter: "lead_id is null and anonymous_id !~ '^(expired|erased):'");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_campaign_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "campaign", "create_time", "id" },
                filter: "campaign is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_capture_type_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "capture_type", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_channel_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "channel", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_external_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "external_id" },
                filter: "external_id <> ''");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_form_type_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "form_type", "create_time", "id" },
                filter: "form_type is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_keyword_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "keyword", "create_time", "id" },
                filter: "keyword is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_medium_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "medium", "create_time", "id" },
                filter: "medium is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_source_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "source", "create_time", "id" },
                filter: "source is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_stage_create_time_id",
                schema: "capture",
                table: "lead",
                columns: new[] { "workspace_id", "stage", "create_time", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_import_job_workspace_id_update_time",
                schema: "capture",
                table: "import_job",
                columns: new[] { "workspace_id", "update_time" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "data_retention",
                schema: "capture");

            migrationBuilder.DropTable(
                name: "import_job",
                schema: "capture");

            migrationBuilder.DropIndex(
                name: "ix_visitor_workspace_id_last_time",
                schema: "capture",
                table: "visitor");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_campaign_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_capture_type_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_channel_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_external_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_form_type_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_keyword_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_medium_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_source_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_stage_create_time_id",
                schema: "capture",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "observed",
                schema: "capture",
                table: "lead");
        }
    }
}
