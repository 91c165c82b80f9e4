using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Capture.Storage.Migrations
{
    /// <inheritdoc />
    public partial class PartitionByMonth : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<Guid>(
                name: "last_session_id",
                schema: "capture",
                table: "visitor",
                type: "uuid",
                nullable: true);

            // Owners are held to row-level security, too; the end of the migration run puts it back on the tables that are read here.
            migrationBuilder.Sql(
                """
                alter table visitor no force row level security;
                alter table message no force row level security;
                alter table session no force row level security;
                alter table activity no force row level security;
                update visitor v set last_session_id = (
                  select s.id from session s where s.workspace_id = v.workspace_id and s.visitor_id = v.id order by s.start_time desc limit 1);
                alter table message add column key uuid;
                update message set
                  key = encode(substring(sha256(convert_to(workspace_id || '|' || message_id, 'UTF8')), 1, 16), 'hex')::uuid;
                alter table message drop constraint pk_message, drop column message_id, alter column key set not null,
                  add constraint pk_message primary key (workspace_id, key);
                """);

            migrationBuilder.CreateTable(
                name: "metric_rollup",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    granularity = table.Column<short>(type: "smallint", nullable: false),
                    dimension = table.Column<string>(type: "text", nullable: false),
                    start = table.Column<DateOnly>(type: "date", nullable: false),
                    value = table.Column<string>(type: "text", nullable: false),
                    visitors = table.Column<long>(type: "bigint", nullable: false),
                    sessions = table.Column<long>(type: "bigint", nullable: false),
                    page_views = table.Column<long>(type: "bigint", nullable: false),
                    leads = table.Column<long>(type: "bigint", nullable: false),
                    form_leads = table.Column<long>(type: "bigint", nullable: false),
                    call_leads = table.Column<long>(type: "bigint", nullable: false),
                    chat_leads = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_metric_rollup", x => new { x.workspace_id, x.granularity, x.dimension, x.start, x.value });
                });

            migrationBuilder.CreateTable(
                name: "rollup_state",
                schema: "capture",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    time_zone = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_rollup_state", x => x.workspace_id);
                });

            // Counters are changed again and again: room on the page keeps a new version beside the old one, and the index as it is.
            migrationBuilder.Sql("alter table metric_rollup set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)");

            // A month's bounds are the ids that begin with its first millisecond and with the next month's.
            migrationBuilder.Sql(
                """
                create function first_id(day date) returns uuid language sql immutable set search_path = pg_catalog as $$
                  select (lpad(to_hex((extract(epoch from day::timestamp at time zone 'UTC') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
                $$;

                create function create_month(month date) returns void language plpgsql security definer set search_path = capture, pg_temp as $$
                declare
                  parent text;
                  part text;
                begin
                  month := date_trunc('month', month)::date;
                  if month < date '2020-01-01' or to_regclass(format('session_%s', to_char(month, 'YYYYMM'))) is not null then
                    return;
                  end if;
                  perform pg_advisory_xact_lock(hashtextextended('capture.partitions', 0));
                  foreach parent in array array['activity', 'session'] loop
                    part := format('%s_%s', parent, to_char(month, 'YYYYMM'));
                    if to_regclass(part) is null then
                      execute format('create table %I (like %I including all)', part, parent);
                      execute format('alter table %I enable row level security, force row level security', part);
                      execute format('create policy workspace_isolation on %I'
                        ' using (workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid)'
                        ' with check (workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid)', part);
                      execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                        parent, part, first_id(month), first_id((month + interval '1 month')::date));
                    end if;
                  end loop;
                end $$;

                create function drop_months(month date) returns setof text language plpgsql security definer
                  set search_path = capture, pg_temp set lock_timeout = '5s' as $$
                declare
                  part record;
                begin
                  perform pg_advisory_xact_lock(hashtextextended('capture.partitions', 0));
                  for part in
                    select c.relname as name from pg_inherits i
                    join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
                    where p.relnamespace = 'capture'::regnamespace and p.relname in ('activity', 'session')
                      and c.relname ~ '_[0-9]{6}$' and to_date(right(c.relname, 6), 'YYYYMM') < date_trunc('month', month)
                    order by 1
                  loop
                    execute format('drop table %I', part.name);
                    return next part.name;
                  end loop;
                  if month >= date '2020-01-01' then
                    truncate activity_before_2020, session_before_2020;
                  end if;
                end $$;

                revoke execute on function create_month(date), drop_months(date) from public;
                """);

            migrationBuilder.Sql(
                """
                alter table activity rename to activity_whole;
                alter table activity_whole drop constraint pk_activity;
                drop index ix_activity_workspace_id_identity_kind_identity_value, ix_activity_workspace_id_lead_id_time,
                  ix_activity_workspace_id_visitor_id_time;
                -- Columns of fixed width first: nothing is lost to alignment.
                create table activity (
                  workspace_id uuid not null,
                  id uuid not null,
                  visitor_id uuid,
                  session_id uuid,
                  lead_id uuid,
                  time timestamptz not null,
                  source_kind smallint not null,
                  opens boolean not null,
                  type text not null,
                  name text not null,
                  url text,
                  properties jsonb not null,
                  channel text,
                  source text,
                  medium text,
                  campaign text,
                  keyword text,
                  click_id text,
                  identity_kind text,
                  identity_value text,
                  constraint pk_activity primary key (workspace_id, id)
                ) partition by range (id);
                create index ix_activity_visitor_id_time on activity (visitor_id, time);
                create index ix_activity_lead_id_time on activity (lead_id, time) where lead_id is not null;
                create index ix_activity_workspace_id_identity_kind_identity_value on activity (workspace_id, identity_kind, identity_value)
                  where identity_value is not null;
                create table activity_before_2020 partition of activity for values from (minvalue) to (first_id('2020-01-01'));

                alter table session rename to session_whole;
                alter table session_whole drop constraint pk_session;
                drop index ix_session_workspace_id_lead_id_start_time, ix_session_workspace_id_visitor_id_start_time,
                  ix_session_workspace_id_start_time;
                create table session (like session_whole including defaults, constraint pk_session primary key (workspace_id, id))
                  partition by range (id);
                create index ix_session_visitor_id_start_time on session (visitor_id, start_time);
                create index ix_session_lead_id_start_time on session (lead_id, start_time) where lead_id is not null;
                create index ix_session_workspace_id_start_time on session (workspace_id, start_time);
                create table session_before_2020 partition of session for values from (minvalue) to (first_id('2020-01-01'));

                select create_month((date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead))::date)
                from generate_series(0, 2) as ahead;
                select create_month(month::date) from (
                  select distinct date_trunc('month', to_timestamp(
                    (('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint) / 1000.0) at time zone 'UTC') as month
                  from (select id from activity_whole union all select id from session_whole) as held
                ) as months;
                insert into activity select
                  workspace_id, id, visitor_id, session_id, lead_id, time, source_kind, opens, type, name, url, properties, channel, source,
                  medium, campaign, keyword, click_id, identity_kind, identity_value
                from activity_whole;
                insert into session select * from session_whole;
                drop table activity_whole, session_whole;
                """);
        }

        /// <inheritdoc />
        /// <exception cref="NotSupportedException">Always: months that were dropped would be missing.</exception>
        protected override void Down(MigrationBuilder migrationBuilder) =>
            throw new NotSupportedException("Partitions are not joined again.");
    }
}
