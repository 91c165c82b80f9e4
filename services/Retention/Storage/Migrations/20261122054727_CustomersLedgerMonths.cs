using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class CustomersLedgerMonths : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<decimal>(
                name: "base_amount",
                schema: "retention",
                table: "revenue",
                type: "numeric",
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "create_time",
                schema: "retention",
                table: "revenue",
                type: "timestamp with time zone",
                nullable: false,
                defaultValue: new DateTimeOffset(new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified), new TimeSpan(0, 0, 0, 0, 0)));

            migrationBuilder.AddColumn<decimal>(
                name: "monthly",
                schema: "retention",
                table: "revenue",
                type: "numeric",
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<DateOnly>(
                name: "proration_end",
                schema: "retention",
                table: "revenue",
                type: "date",
                nullable: true);

            migrationBuilder.AddColumn<DateOnly>(
                name: "proration_start",
                schema: "retention",
                table: "revenue",
                type: "date",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "reason",
                schema: "retention",
                table: "revenue",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "reversed",
                schema: "retention",
                table: "revenue",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<Guid>(
                name: "reverses_id",
                schema: "retention",
                table: "revenue",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "voluntary",
                schema: "retention",
                table: "revenue",
                type: "boolean",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "churn_voluntary",
                schema: "retention",
                table: "customer",
                type: "boolean",
                nullable: true);

            migrationBuilder.AddColumn<DateOnly>(
                name: "contract_start",
                schema: "retention",
                table: "customer",
                type: "date",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "owner",
                schema: "retention",
                table: "customer",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "reactivate_time",
                schema: "retention",
                table: "customer",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "rollup_due",
                schema: "retention",
                table: "customer",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "term_months",
                schema: "retention",
                table: "customer",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "cohort_month",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    cohort = table.Column<DateOnly>(type: "date", nullable: false),
                    month = table.Column<DateOnly>(type: "date", nullable: false),
                    customers = table.Column<long>(type: "bigint", nullable: false),
                    mrr = table.Column<decimal>(type: "numeric", nullable: false),
                    began = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_cohort_month", x => new { x.workspace_id, x.cohort, x.month });
                });

            migrationBuilder.CreateTable(
                name: "currency_rate",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    date = table.Column<DateOnly>(type: "date", nullable: false),
                    rate = table.Column<decimal>(type: "numeric", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_currency_rate", x => new { x.workspace_id, x.currency_code, x.date });
                });

            migrationBuilder.CreateTable(
                name: "customer_contact",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    display_name = table.Column<string>(type: "text", nullable: false),
                    email = table.Column<string>(type: "text", nullable: true),
                    role = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_customer_contact", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "customer_month",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    month = table.Column<DateOnly>(type: "date", nullable: false),
                    cohort = table.Column<DateOnly>(type: "date", nullable: false),
                    movement = table.Column<string>(type: "text", nullable: false),
                    mrr_start = table.Column<decimal>(type: "numeric", nullable: false),
                    mrr_end = table.Column<decimal>(type: "numeric", nullable: false),
                    joined = table.Column<int>(type: "integer", nullable: false),
                    lost = table.Column<int>(type: "integer", nullable: false),
                    won_and_lost = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_customer_month", x => new { x.workspace_id, x.customer_id, x.month });
                });

            migrationBuilder.CreateTable(
                name: "held_booking",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    opportunity_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lead_id = table.Column<Guid>(type: "uuid", nullable: true),
                    account = table.Column<string>(type: "text", nullable: true),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    currency_code = table.Column<string>(type: "text", nullable: false),
                    close_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_held_booking", x => new { x.workspace_id, x.opportunity_id });
                });

            migrationBuilder.CreateTable(
                name: "mrr_month",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    month = table.Column<DateOnly>(type: "date", nullable: false),
                    added = table.Column<decimal>(type: "numeric", nullable: false),
                    reactivated = table.Column<decimal>(type: "numeric", nullable: false),
                    expanded = table.Column<decimal>(type: "numeric", nullable: false),
                    contracted = table.Column<decimal>(type: "numeric", nullable: false),
                    churned = table.Column<decimal>(type: "numeric", nullable: false),
                    joined = table.Column<long>(type: "bigint", nullable: false),
                    lost = table.Column<long>(type: "bigint", nullable: false),
                    won_and_lost = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_mrr_month", x => new { x.workspace_id, x.month });
                });

            migrationBuilder.CreateTable(
                name: "rollup_state",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    time_zone = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_rollup_state", x => x.workspace_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_revenue_workspace_id_reverses_id",
                schema: "retention",
                table: "revenue",
                columns: new[] { "workspace_id", "reverses_id" },
                unique: true,
                filter: "reverses_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_customer_rollup_due",
                schema: "retention",
                table: "customer",
                columns: new[] { "workspace_id", "id" },
                filter: "rollup_due");

            migrationBuilder.CreateIndex(
                name: "ix_customer_workspace_id_renewal_date",
                schema: "retention",
                table: "customer",
                columns: new[] { "workspace_id", "renewal_date" },
                filter: "renewal_date is not null and not churned");

            migrationBuilder.CreateIndex(
                name: "ix_customer_contact_workspace_id_customer_id",
                schema: "retention",
                table: "customer_contact",
                columns: new[] { "workspace_id", "customer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_customer_contact_workspace_id_lead_id",
                schema: "retention",
                table: "customer_contact",
                columns: new[] { "workspace_id", "lead_id" },
                filter: "lead_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_customer_month_workspace_id_month_customer_id",
                schema: "retention",
                table: "customer_month",
                columns: new[] { "workspace_id", "month", "customer_id" });

            // Entries so far are in the workspace's currency. The migration runs as the owner, whom row-level security would hold back; the end of
            // the run forces it again.
            migrationBuilder.Sql(
                """
                alter table retention.revenue no force row level security;
                alter table retention.customer no force row level security;
                update retention.revenue set base_amount = amount, create_time = occur_time,
                  monthly = case recurrence when 'Monthly' then amount when 'Quarterly' then round(amount / 3, 6) when 'Yearly' then round(amount / 12, 6) else 0 end;
                update retention.customer c set rollup_due = true, reactivate_time = case when c.churned then null else (
                  select max(occur_time) from retention.revenue r where r.workspace_id = c.workspace_id and r.customer_id = c.id and r.type = 'Reactivation') end;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "cohort_month",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "currency_rate",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "customer_contact",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "customer_month",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "held_booking",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "mrr_month",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "rollup_state",
                schema: "retention");

            migrationBuilder.DropIndex(
                name: "ix_revenue_workspace_id_reverses_id",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropIndex(
                name: "ix_customer_rollup_due",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropIndex(
                name: "ix_customer_workspace_id_renewal_date",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "base_amount",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "create_time",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "monthly",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "proration_end",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "proration_start",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "reason",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "reversed",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "reverses_id",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "voluntary",
                schema: "retention",
                table: "revenue");

            migrationBuilder.DropColumn(
                name: "churn_voluntary",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "contract_start",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "owner",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "reactivate_time",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "rollup_due",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "term_months",
                schema: "retention",
                table: "customer");
        }
    }
}
