using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <summary>Lets the service's role have the statistics renewed of tables that have doubled since.</summary>
    [DbContext(typeof(CaptureDbContext))]
    [Migration("20261121225414_AnalyzeGrown")]
    public partial class AnalyzeGrown : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            create function analyze_grown() returns setof text language plpgsql security definer set search_path = capture, pg_temp as $$
            declare
              grown record;
            begin
              for grown in
                select s.relname as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
                where s.schemaname = 'capture' and c.relkind = 'r' and s.n_mod_since_analyze > greatest(500, c.reltuples)
                order by 1
              loop
                execute format('analyze (skip_locked) %I', grown.name);
                return next grown.name;
              end loop;
            end $$;

            revoke execute on function analyze_grown() from public;
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function analyze_grown()");
    }
}
