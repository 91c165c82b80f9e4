using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Scoring.Storage.Migrations
{
    /// <inheritdoc />
    public partial class NamedScores : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropPrimaryKey(
                name: "pk_model",
                schema: "scoring",
                table: "model");

            migrationBuilder.DropPrimaryKey(
                name: "pk_ledger",
                schema: "scoring",
                table: "ledger");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_model_version",
                schema: "scoring",
                table: "lead");

            migrationBuilder.AddColumn<string>(
                name: "changes",
                schema: "scoring",
                table: "transition",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<bool>(
                name: "hot",
                schema: "scoring",
                table: "transition",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "recent",
                schema: "scoring",
                table: "transition",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<string>(
                name: "score_name",
                schema: "scoring",
                table: "model",
                type: "text",
                nullable: false,
                defaultValue: "default");

            migrationBuilder.AddColumn<bool>(
                name: "removed",
                schema: "scoring",
                table: "model",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "score_name",
                schema: "scoring",
                table: "ledger",
                type: "text",
                nullable: false,
                defaultValue: "default");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "end_time",
                schema: "scoring",
                table: "ledger",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "floor",
                schema: "scoring",
                table: "ledger",
                type: "numeric",
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<int>(
                name: "adjustments",
                schema: "scoring",
                table: "lead",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "change_xid",
                schema: "scoring",
                table: "lead",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "company_key",
                schema: "scoring",
                table: "lead",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "company_name",
                schema: "scoring",
                table: "lead",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "generation",
                schema: "scoring",
                table: "lead",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "next_time",
                schema: "scoring",
                table: "lead",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddPrimaryKey(
                name: "pk_model",
                schema: "scoring",
                table: "model",
                columns: new[] { "workspace_id", "score_name", "version" });

            migrationBuilder.AddPrimaryKey(
                name: "pk_ledger",
                schema: "scoring",
                table: "ledger",
                columns: new[] { "workspace_id", "lead_id", "score_name", "rule_id", "activity_id", "time" });

            migrationBuilder.CreateTable(
                name: "adjustment",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    adjustment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    score_name = table.Column<string>(type: "text", nullable: false),
                    category = table.Column<short>(type: "smallint", nullable: false),
                    points = table.Column<decimal>(type: "numeric", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    half_life_seconds = table.Column<double>(type: "double precision", nullable: true),
                    expire_seconds = table.Column<double>(type: "double precision", nullable: true),
                    undo_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    undo_actor = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_adjustment", x => new { x.workspace_id, x.adjustment_id });
                });

            migrationBuilder.CreateTable(
                name: "score",
                schema: "scoring",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    score_name = table.Column<string>(type: "text", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    model_version = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "jsonb", nullable: true),
                    next_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    live_version = table.Column<long>(type: "bigint", nullable: false),
                    change_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    change_xid = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_score", x => new { x.workspace_id, x.score_name, x.lead_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_change_xid",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "change_xid" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_company_key",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "company_key" },
                filter: "company_key is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_generation",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "generation" },
                filter: "state is not null");

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_next_time",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "next_time" },
                filter: "next_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_adjustment_workspace_id_lead_id",
                schema: "scoring",
                table: "adjustment",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_score_stale",
                schema: "scoring",
                table: "score",
                columns: new[] { "workspace_id", "score_name", "lead_id" },
                filter: "live_version < version");

            migrationBuilder.CreateIndex(
                name: "ix_score_workspace_id_lead_id",
                schema: "scoring",
                table: "score",
                columns: new[] { "workspace_id", "lead_id" });

            migrationBuilder.CreateIndex(
                name: "ix_score_workspace_id_next_time",
                schema: "scoring",
                table: "score",
                columns: new[] { "workspace_id", "next_time" },
                filter: "next_time is not null");

            migrationBuilder.CreateIndex(
                name: "ix_score_workspace_id_score_name_change_xid",
                schema: "scoring",
                table: "score",
                columns: new[] { "workspace_id", "score_name", "change_xid" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "adjustment",
                schema: "scoring");

            migrationBuilder.DropTable(
                name: "score",
                schema: "scoring");

            migrationBuilder.DropPrimaryKey(
                name: "pk_model",
                schema: "scoring",
                table: "model");

            migrationBuilder.DropPrimaryKey(
                name: "pk_ledger",
                schema: "scoring",
                table: "ledger");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_change_xid",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_company_key",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_generation",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropIndex(
                name: "ix_lead_workspace_id_next_time",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "changes",
                schema: "scoring",
                table: "transition");

            migrationBuilder.DropColumn(
                name: "hot",
                schema: "scoring",
                table: "transition");

            migrationBuilder.DropColumn(
                name: "recent",
                schema: "scoring",
                table: "transition");

            migrationBuilder.DropColumn(
                name: "score_name",
                schema: "scoring",
                table: "model");

            migrationBuilder.DropColumn(
                name: "removed",
                schema: "scoring",
                table: "model");

            migrationBuilder.DropColumn(
                name: "score_name",
                schema: "scoring",
                table: "ledger");

            migrationBuilder.DropColumn(
                name: "end_time",
                schema: "scoring",
                table: "ledger");

            migrationBuilder.DropColumn(
                name: "floor",
                schema: "scoring",
                table: "ledger");

            migrationBuilder.DropColumn(
                name: "adjustments",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "change_xid",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "company_key",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "company_name",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "generation",
                schema: "scoring",
                table: "lead");

            migrationBuilder.DropColumn(
                name: "next_time",
                schema: "scoring",
                table: "lead");

            migrationBuilder.AddPrimaryKey(
                name: "pk_model",
                schema: "scoring",
                table: "model",
                columns: new[] { "workspace_id", "version" });

            migrationBuilder.AddPrimaryKey(
                name: "pk_ledger",
                schema: "scoring",
                table: "ledger",
                columns: new[] { "workspace_id", "lead_id", "rule_id", "activity_id" });

            migrationBuilder.CreateIndex(
                name: "ix_lead_workspace_id_model_version",
                schema: "scoring",
                table: "lead",
                columns: new[] { "workspace_id", "model_version" },
                filter: "state is not null");
        }
    }
}
