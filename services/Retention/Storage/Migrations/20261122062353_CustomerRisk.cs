using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class CustomerRisk : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "at_risk",
                schema: "retention",
                table: "customer",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "risk_due_time",
                schema: "retention",
                table: "customer",
                type: "timestamp with time zone",
                nullable: false,
                defaultValueSql: "now()");

            migrationBuilder.AddColumn<decimal>(
                name: "risk_score",
                schema: "retention",
                table: "customer",
                type: "numeric",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "customer_signal",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    quantity = table.Column<decimal>(type: "numeric", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    external_id = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_customer_signal", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "risk_model",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    usage = table.Column<decimal>(type: "numeric", nullable: false),
                    support = table.Column<decimal>(type: "numeric", nullable: false),
                    nps = table.Column<decimal>(type: "numeric", nullable: false),
                    payment = table.Column<decimal>(type: "numeric", nullable: false),
                    engagement = table.Column<decimal>(type: "numeric", nullable: false),
                    renewal = table.Column<decimal>(type: "numeric", nullable: false),
                    threshold = table.Column<decimal>(type: "numeric", nullable: false),
                    create_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_risk_model", x => new { x.workspace_id, x.version });
                });

            migrationBuilder.CreateIndex(
                name: "ix_survey_answer_workspace_id_customer_id_answer_time",
                schema: "retention",
                table: "survey_answer",
                columns: new[] { "workspace_id", "customer_id", "answer_time" },
                filter: "customer_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_revenue_churn",
                schema: "retention",
                table: "revenue",
                columns: new[] { "workspace_id", "occur_time", "customer_id" },
                filter: "type = 'Churn'");

            migrationBuilder.CreateIndex(
                name: "ix_customer_workspace_id_risk_due_time",
                schema: "retention",
                table: "customer",
                columns: new[] { "workspace_id", "risk_due_time" },
                filter: "not churned");

            migrationBuilder.CreateIndex(
                name: "ix_customer_signal_workspace_id_customer_id_external_id",
                schema: "retention",
                table: "customer_signal",
                columns: new[] { "workspace_id", "customer_id", "external_id" },
                unique: true,
                filter: "external_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_customer_signal_workspace_id_customer_id_time",
                schema: "retention",
                table: "customer_signal",
                columns: new[] { "workspace_id", "customer_id", "time" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "customer_signal",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "risk_model",
                schema: "retention");

            migrationBuilder.DropIndex(
                name: "ix_survey_answer_workspace_id_customer_id_answer_time",
                schema: "retention",
                table: "survey_answer");

            migrationBuilder.DropIndex(
                name: "ix_revenue_churn",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropIndex(
                name: "ix_customer_workspace_id_risk_due_time",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "at_risk",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "risk_due_time",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "risk_score",
                schema: "retention",
                table: "customer");
        }
    }
}
