using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <summary>
    /// Leaves a table's statistics to autovacuum from 10,000 rows on: large is what the planner takes it for by then, and every renewal makes all sessions
    /// plan all their statements anew, for which a workspace's commits wait some 50 ms.
    /// </summary>
    [DbContext(typeof(CaptureDbContext))]
    [Migration("20261123030500_AnalyzeUntilLarge")]
    public partial class AnalyzeUntilLarge : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            create or replace function analyze_grown() returns setof text language plpgsql security definer
              set search_path = capture, pg_temp set default_statistics_target = 20 as $$
            declare
              grown record;
            begin
              for grown in
                select s.relname as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
                where s.schemaname = 'capture' and c.relkind = 'r' and c.reltuples < 10000 and s.n_live_tup > greatest(500, 2 * c.reltuples)
                order by 1
              loop
                execute format('analyze (skip_locked) %I', grown.name);
                return next grown.name;
              end loop;
            end $$;
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            create or replace function analyze_grown() returns setof text language plpgsql security definer
              set search_path = capture, pg_temp set default_statistics_target = 20 as $$
            declare
              grown record;
            begin
              for grown in
                select s.relname as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
                where s.schemaname = 'capture' and c.relkind = 'r' and s.n_live_tup > greatest(500, 2 * c.reltuples)
                order by 1
              loop
                execute format('analyze (skip_locked) %I', grown.name);
                return next grown.name;
              end loop;
            end $$;
            """);
    }
}
