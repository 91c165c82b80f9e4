using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Gateway.Storage.Migrations
{
    /// <summary>When the targets of a workspace are looked at next, and what was told of them.</summary>
    [DbContext(typeof(GatewayDbContext))]
    [Migration("20261122031500_TargetWatch")]
    public partial class TargetWatch : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            create table gateway.target_check (workspace_id uuid not null primary key, due_time timestamptz not null);
            -- One row for each warning that went out, so that none goes out twice.
            create table gateway.target_alert (
              workspace_id uuid not null, service text not null, metric text not null, granularity text not null, period_start date not null,
              target double precision not null, level text not null, time timestamptz not null,
              primary key (workspace_id, service, metric, granularity, period_start, target, level));
            -- Owners are held to row-level security, too; the end of the migration run puts it back.
            alter table gateway.metric_target no force row level security;
            insert into gateway.target_check select distinct workspace_id, now() from gateway.metric_target;
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop table gateway.target_alert, gateway.target_check");
    }
}
