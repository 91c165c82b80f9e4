using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class MarksAndAnnouncements : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "revenue_announcement",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    revenue_ids = table.Column<Guid[]>(type: "uuid[]", nullable: false),
                    versions = table.Column<long[]>(type: "bigint[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_revenue_announcement", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "rollup_mark",
                schema: "retention",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_ids = table.Column<Guid[]>(type: "uuid[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_rollup_mark", x => new { x.workspace_id, x.id });
                });

            // What is yet to be counted stays so. The migration runs as the owner, whom row-level security would hold back; the end of the run forces it
            // again. A ledger's sums change far more often than what customers are found by: with room on its page a row changes without its indexes.
            migrationBuilder.Sql(
                """
                alter table retention.customer no force row level security;
                insert into retention.rollup_mark (workspace_id, id, customer_ids)
                select workspace_id, gen_random_uuid(), array_agg(id) from (
                  select workspace_id, id, (row_number() over (partition by workspace_id order by id) - 1) / 1000 as part from retention.customer where rollup_due) c
                group by workspace_id, part;
                alter table retention.customer set (fillfactor = 50);
                """);

            migrationBuilder.DropIndex(
                name: "ix_customer_rollup_due",
                schema: "retention",
                table: "customer");

            migrationBuilder.DropColumn(
                name: "rollup_due",
                schema: "retention",
                table: "customer");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "revenue_announcement",
                schema: "retention");

            migrationBuilder.DropTable(
                name: "rollup_mark",
                schema: "retention");

            migrationBuilder.AddColumn<bool>(
                name: "rollup_due",
                schema: "retention",
                table: "customer",
                type: "boolean",
                nullable: false,
                defaultValue: true);

            migrationBuilder.Sql("alter table retention.customer reset (fillfactor)");

            migrationBuilder.CreateIndex(
                name: "ix_customer_rollup_due",
                schema: "retention",
                table: "customer",
                columns: new[] { "workspace_id", "id" },
                filter: "rollup_due");
        }
    }
}
