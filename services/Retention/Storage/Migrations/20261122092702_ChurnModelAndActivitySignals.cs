using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ChurnModelAndActivitySignals : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<Guid>(
                name: "lead_id",
                schema: "retention",
                table: "customer_signal",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "churn_probability",
                schema: "retention",
                table: "customer",
                type: "double precision",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "churn_model",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    definition = table.Column<string>(type: "jsonb", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    retire_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_churn_model", x => new { x.workspace_id, x.version });
                });

            migrationBuilder.CreateTable(
                name: "held_signal",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: false),
                    activity_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    quantity = table.Column<decimal>(type: "numeric", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_held_signal", x => new { x.workspace_id, x.lead_id, x.activity_id });
                });

            migrationBuilder.CreateTable(
                name: "past_plan",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    until_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    plan = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_past_plan", x => new { x.workspace_id, x.customer_id, x.until_time });
                });

            migrationBuilder.CreateTable(
                name: "signal_rule",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    event_key = table.Column<string>(type: "text", nullable: false),
                    event_name = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    quantity_property = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_signal_rule", x => new { x.workspace_id, x.event_key });
                });

            migrationBuilder.CreateIndex(
                name: "ix_customer_signal_workspace_id_lead_id",
                schema: "retention",
                table: "customer_signal",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "lead_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_held_signal_workspace_id_time",
                schema: "retention",
                table: "held_signal",
                columns: new[] { "workspace_id", "time" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "churn_model",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "held_signal",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "past_plan",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "signal_rule",
                schema: "retention");

            migrationBuilder.DropIndex(
                name: "ix_customer_signal_workspace_id_lead_id",
                schema: "retention",
                table: "customer_signal");

            migrationBuilder.DropColumn(
                name: "lead_id",
                schema: "retention",
                table: "customer_signal");

            migrationBuilder.DropColumn(
                name: "churn_probability",
                schema: "retention",
                table: "customer");
        }
    }
}
