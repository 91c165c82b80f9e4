using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class MetricChanges : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "metric_change",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    granularities = table.Column<short[]>(type: "smallint[]", nullable: false),
                    dimensions = table.Column<string[]>(type: "text[]", nullable: false),
                    starts = table.Column<DateOnly[]>(type: "date[]", nullable: false),
                    group_values = table.Column<string[]>(type: "text[]", nullable: false),
                    visitors = table.Column<long[]>(type: "bigint[]", nullable: false),
                    sessions = table.Column<long[]>(type: "bigint[]", nullable: false),
                    page_views = table.Column<long[]>(type: "bigint[]", nullable: false),
                    leads = table.Column<long[]>(type: "bigint[]", nullable: false),
                    form_leads = table.Column<long[]>(type: "bigint[]", nullable: false),
                    call_leads = table.Column<long[]>(type: "bigint[]", nullable: false),
                    chat_leads = table.Column<long[]>(type: "bigint[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_metric_change", x => new { x.workspace_id, x.id });
                });

            // By the reader's rights: each workspace sees its own.
            migrationBuilder.Sql(
                """
                create view capture.metric_count with (security_invoker = true) as
                select workspace_id, granularity, dimension, start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads
                from capture.metric_rollup
                union all
                select t.workspace_id, c.granularity, c.dimension, c.start, c.value, c.visitors, c.sessions, c.page_views, c.leads, c.form_leads, c.call_leads, c.chat_leads
                from capture.metric_change t cross join lateral unnest(
                  t.granularities, t.dimensions, t.starts, t.group_values, t.visitors, t.sessions, t.page_views, t.leads, t.form_leads, t.call_leads, t.chat_leads)
                  as c(granularity, dimension, start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads)
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("drop view capture.metric_count");
            migrationBuilder.DropTable(
                name: "metric_change",
                schema: "capture");
        }
    }
}
