using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <inheritdoc />
    public partial class SalesDesk : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_opportunity_workspace_id_external_id",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.AddColumn<string>(
                name: "competitor",
                schema: "conversion",
                table: "opportunity",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "contacts",
                schema: "conversion",
                table: "opportunity",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<string>(
                name: "lines",
                schema: "conversion",
                table: "opportunity",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<Guid>(
                name: "reopened_as",
                schema: "conversion",
                table: "opportunity",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "reopened_from",
                schema: "conversion",
                table: "opportunity",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "stage_time",
                schema: "conversion",
                table: "opportunity",
                type: "timestamp with time zone",
                nullable: false,
                defaultValue: new DateTimeOffset(new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified), new TimeSpan(0, 0, 0, 0, 0)));

            migrationBuilder.AddColumn<string>(
                name: "company",
                schema: "conversion",
                table: "lead",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "traits",
                schema: "conversion",
                table: "lead",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "due_time",
                schema: "conversion",
                table: "handoff",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "overdue_time",
                schema: "conversion",
                table: "handoff",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "reopened",
                schema: "conversion",
                table: "handoff",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<Guid>(
                name: "team_id",
                schema: "conversion",
                table: "handoff",
                type: "uuid",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "handoff_assignment",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    handoff_id = table.Column<Guid>(type: "uuid", nullable: false),
                    position = table.Column<int>(type: "integer", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: true),
                    team_id = table.Column<Guid>(type: "uuid", nullable: true),
                    actor = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_handoff_assignment", x => new { x.workspace_id, x.handoff_id, x.position });
                });

            migrationBuilder.CreateTable(
                name: "handoff_settings",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    response_minutes = table.Column<int>(type: "integer", nullable: false),
                    working_hours = table.Column<string>(type: "jsonb", nullable: true),
                    time_zone = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_handoff_settings", x => x.workspace_id);
                });

            migrationBuilder.CreateTable(
                name: "opportunity_change",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    opportunity_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    pipeline_id = table.Column<Guid>(type: "uuid", nullable: false),
                    from_stage = table.Column<string>(type: "text", nullable: false),
                    to_stage = table.Column<string>(type: "text", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    expected_close_date = table.Column<DateOnly>(type: "date", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true),
                    competitor = table.Column<string>(type: "text", nullable: true),
                    actor = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    stay_seconds = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_opportunity_change", x => new { x.workspace_id, x.opportunity_id, x.version });
                });

            migrationBuilder.CreateTable(
                name: "sales_team",
                schema: "conversion",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    rule = table.Column<string>(type: "text", nullable: false),
                    priority = table.Column<int>(type: "integer", nullable: false),
                    members = table.Column<string>(type: "jsonb", nullable: false),
                    turn = table.Column<int>(type: "integer", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_sales_team", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_contacts",
                schema: "conversion",
                table: "opportunity",
                column: "contacts")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "jsonb_path_ops" });

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_workspace_id_external_id",
                schema: "conversion",
                table: "opportunity",
                columns: new[] { "workspace_id", "external_id" },
                unique: true,
                filter: "external_id is not null and reopened_as is null");

            migrationBuilder.CreateIndex(
                name: "opportunity_open",
                schema: "conversion",
                table: "opportunity",
                column: "workspace_id",
                filter: "state = 'OPEN'");

            migrationBuilder.CreateIndex(
                name: "handoff_deadline",
                schema: "conversion",
                table: "handoff",
                columns: new[] { "workspace_id", "due_time" },
                filter: "state = 'OPEN' and due_time is not null and overdue_time is null");

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_change_workspace_id_pipeline_id_time",
                schema: "conversion",
                table: "opportunity_change",
                columns: new[] { "workspace_id", "pipeline_id", "time" },
                filter: "stay_seconds is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "handoff_assignment",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "handoff_settings",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "opportunity_change",
                schema: "conversion");

            migrationBuilder.DropTable(
                name: "sales_team",
                schema: "conversion");

            migrationBuilder.DropIndex(
                name: "ix_opportunity_contacts",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropIndex(
                name: "ix_opportunity_workspace_id_external_id",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropIndex(
                name: "opportunity_open",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropIndex(
                name: "handoff_deadline",
                schema: "conversion",
                table: "handoff");

            migrationBuilder.DropColumn(
                name: "competitor",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropColumn(
                name: "contacts",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropColumn(
                name: "lines",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropColumn(
                name: "reopened_as",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropColumn(
                name: "reopened_from",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropColumn(
                name: "stage_time",
                schema: "conversion",
                table: "opportunity");

            migrationBuilder.DropColumn(
                name: "company",
                schema: "conversion",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "traits",
                schema: "conversion",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "due_time",
                schema: "conversion",
                table: "handoff");

            migrationBuilder.DropColumn(
                name: "overdue_time",
                schema: "conversion",
                table: "handoff");

            migrationBuilder.DropColumn(
                name: "reopened",
                schema: "conversion",
                table: "handoff");

            migrationBuilder.DropColumn(
                name: "team_id",
                schema: "conversion",
                table: "handoff");

            migrationBuilder.CreateIndex(
                name: "ix_opportunity_workspace_id_external_id",
                schema: "conversion",
                table: "opportunity",
                columns: new[] { "workspace_id", "external_id" },
                unique: true,
                filter: "external_id is not null");
        }
    }
}
