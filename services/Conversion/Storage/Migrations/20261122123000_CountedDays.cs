using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <summary>
    /// What grows with leads is counted before it is asked for. <c>lead_day</c> and <c>stay_day</c> hold new leads, and first entries of people
    /// into stages, by day (UTC) and first touch: every change of a fact adds what it brings and takes back what it was, in its own transaction
    /// and in rows of its own, so that no two writers meet; a job adds the rows of a day up. <c>path_keys</c> and <c>path_times</c> are the
    /// touches of a journey as its models need them. All of it is kept by triggers, and <c>recount_days</c> makes the days anew.
    /// </summary>
    [DbContext(typeof(ConversionDbContext))]
    [Migration("20261122123000_CountedDays")]
    public partial class CountedDays : Migration
    {
        private const string Tables =
            """
            create table conversion.lead_day (
              workspace_id uuid not null, day date not null, source_key bigint not null, capture_type text not null, leads bigint not null,
              loose boolean not null default true);
            comment on column conversion.lead_day.leads is 'New leads; less than 0 where leads were taken back. The rows of a day, touch and type add up.';
            comment on column conversion.lead_day.loose is 'Not added up with its day yet.';
            create index ix_lead_day on conversion.lead_day (workspace_id, day);
            create index ix_lead_day_loose on conversion.lead_day (workspace_id, day) where loose;

            create table conversion.stay_day (
              workspace_id uuid not null, day date not null, source_key bigint not null, stage smallint not null, entered bigint not null,
              loose boolean not null default true);
            comment on table conversion.stay_day is 'First entries of people into a stage. Entries anew are few, and read from stage_stay.';
            create index ix_stay_day on conversion.stay_day (workspace_id, day);
            create index ix_stay_day_loose on conversion.stay_day (workspace_id, day) where loose;
            create index ix_stage_stay_again on conversion.stage_stay (workspace_id, enter_time) where previous_time is not null;

            alter table conversion.journey add column path_keys bigint[], add column path_times bigint[];
            alter table conversion.stage_journey add column path_keys bigint[], add column path_times bigint[];
            comment on column conversion.journey.path_keys is 'Keys of the touches in lead_source, oldest first; null until frozen.';
            comment on column conversion.journey.path_times is 'Their times, microseconds since 1970.';
            """;

        private const string Functions =
            """
            create function conversion.day_of(moment timestamptz) returns date language sql immutable parallel safe as
            $$ select (moment at time zone 'UTC')::date $$;

            create function conversion.add_lead_days() returns trigger language plpgsql as $$
            begin
              insert into conversion.lead_day
              select workspace_id, conversion.day_of(create_time), source_key, capture_type, count(*), true from added group by 1, 2, 3, 4;
              return null;
            end $$;

            create function conversion.take_lead_days() returns trigger language plpgsql as $$
            begin
              insert into conversion.lead_day
              select workspace_id, conversion.day_of(create_time), source_key, capture_type, -count(*), true from removed group by 1, 2, 3, 4;
              return null;
            end $$;

            create function conversion.change_lead_days() returns trigger language plpgsql as $$
            begin
              insert into conversion.lead_day values
                (old.workspace_id, conversion.day_of(old.create_time), old.source_key, old.capture_type, -1, true),
                (new.workspace_id, conversion.day_of(new.create_time), new.source_key, new.capture_type, 1, true);
              return null;
            end $$;

            create trigger add_days after insert on conversion.lead_fact referencing new table as added
              for each statement execute function conversion.add_lead_days();
            create trigger take_days after delete on conversion.lead_fact referencing old table as removed
              for each statement execute function conversion.take_lead_days();
            create trigger change_days after update on conversion.lead_fact for each row when (
              (old.workspace_id, old.create_time, old.source_key, old.capture_type) is distinct from
              (new.workspace_id, new.create_time, new.source_key, new.capture_type)) execute function conversion.change_lead_days();

            create function conversion.add_stay_days() returns trigger language plpgsql as $$
            begin
              insert into conversion.stay_day
              select workspace_id, conversion.day_of(enter_time), source_key, stage, count(*), true from added
              where counts and previous_time is null group by 1, 2, 3, 4;
              return null;
            end $$;

            create function conversion.take_stay_days() returns trigger language plpgsql as $$
            begin
              insert into conversion.stay_day
              select workspace_id, conversion.day_of(enter_time), source_key, stage, -count(*), true from removed
              where counts and previous_time is null group by 1, 2, 3, 4;
              return null;
            end $$;

            create function conversion.change_stay_days() returns trigger language plpgsql as $$
            begin
              insert into conversion.stay_day
              select workspace_id, conversion.day_of(enter_time), source_key, stage, sum(entered), true
              from (values
                (old.workspace_id, old.enter_time, old.source_key, old.stage, old.counts and old.previous_time is null, -1),
                (new.workspace_id, new.enter_time, new.source_key, new.stage, new.counts and new.previous_time is null, 1))
                as part(workspace_id, enter_time, source_key, stage, is_first, entered)
              where is_first group by 1, 2, 3, 4;
              return null;
            end $$;

            create trigger add_days after insert on conversion.stage_stay referencing new table as added
              for each statement execute function conversion.add_stay_days();
            create trigger take_days after delete on conversion.stage_stay referencing old table as removed
              for each statement execute function conversion.take_stay_days();
            -- A move tells the stay before it when it ended, which counts nothing: only what is named here is looked at.
            create trigger change_days after update of workspace_id, enter_time, source_key, stage, counts, previous_time on conversion.stage_stay
              for each row when (
                (old.workspace_id, old.enter_time, old.source_key, old.stage, old.counts, old.previous_time is null) is distinct from
                (new.workspace_id, new.enter_time, new.source_key, new.stage, new.counts, new.previous_time is null))
              execute function conversion.change_stay_days();

            -- Whoever adds days up or counts them anew takes turns in a workspace, so that no row is taken twice.
            create function conversion.turn_of_days(ws uuid) returns void language sql as
            $$ select pg_advisory_xact_lock(hashtextextended('conversion.days.' || ws, 0)) $$;

            -- Adds up the days that have loose rows, at most so many; returns how many had.
            create function conversion.add_up_days(ws uuid, most integer) returns integer language plpgsql as $$
            declare
              days date[];
              total integer := 0;
            begin
              perform conversion.turn_of_days(ws);
              select coalesce(array_agg(day), '{}') into days from (
                select distinct day from conversion.lead_day where workspace_id = ws and loose order by day limit most) due;
              with gone as (delete from conversion.lead_day where workspace_id = ws and day = any(days) returning *)
              insert into conversion.lead_day
              select ws, day, source_key, capture_type, sum(leads), false from gone group by day, source_key, capture_type having sum(leads) <> 0;
              total := cardinality(days);
              select coalesce(array_agg(day), '{}') into days from (
                select distinct day from conversion.stay_day where workspace_id = ws and loose order by day limit most) due;
              with gone as (delete from conversion.stay_day where workspace_id = ws and day = any(days) returning *)
              insert into conversion.stay_day
              select ws, day, source_key, stage, sum(entered), false from gone group by day, source_key, stage having sum(entered) <> 0;
              return greatest(total, cardinality(days));
            end $$;

            -- The days from first to before last anew from the facts; returns how many counts were otherwise.
            create function conversion.recount_days(ws uuid, first date, last date) returns bigint language plpgsql as $$
            declare
              leads_off bigint;
              stays_off bigint;
              since timestamptz := first::timestamp at time zone 'UTC';
              before timestamptz := last::timestamp at time zone 'UTC';
            begin
              perform conversion.turn_of_days(ws);
              with gone as (delete from conversion.lead_day where workspace_id = ws and day >= first and day < last returning *),
              found as (
                select conversion.day_of(create_time) as day, source_key, capture_type, count(*) as leads from conversion.lead_fact
                where workspace_id = ws and create_time >= since and create_time < before group by 1, 2, 3),
              kept as (insert into conversion.lead_day select ws, day, source_key, capture_type, leads, false from found)
              select count(*) into leads_off from (
                select from (select day, source_key, capture_type, leads from found union all select day, source_key, capture_type, -leads from gone) part
                group by day, source_key, capture_type having sum(leads) <> 0) off;
              with gone as (delete from conversion.stay_day where workspace_id = ws and day >= first and day < last returning *),
              found as (
                select conversion.day_of(enter_time) as day, source_key, stage, count(*) as entered from conversion.stage_stay
                where workspace_id = ws and enter_time >= since and enter_time < before and counts and previous_time is null group by 1, 2, 3),
              kept as (insert into conversion.stay_day select ws, day, source_key, stage, entered, false from found)
              select count(*) into stays_off from (
                select from (select day, source_key, stage, entered from found union all select day, source_key, stage, -entered from gone) part
                group by day, source_key, stage having sum(entered) <> 0) off;
              return leads_off + stays_off;
            end $$;

            -- Touches of a journey, as JSON tells them, by the key of lead_source.
            create function conversion.touch_key(touch jsonb) returns bigint language sql immutable parallel safe as
            $$ select hashtextextended(concat_ws(chr(31), coalesce(touch ->> 'channel', ''), coalesce(touch ->> 'source', ''), coalesce(touch ->> 'medium', ''),
                 coalesce(touch ->> 'campaign', ''), coalesce(touch ->> 'keyword', ''), conversion.page_of(touch ->> 'landingPage')), 0) $$;

            create function conversion.path_keys(touches jsonb) returns bigint[] language sql stable parallel safe as
            $$ select coalesce(array_agg(conversion.touch_key(touch) order by place), '{}')
               from jsonb_array_elements(touches) with ordinality as part(touch, place) $$;

            create function conversion.path_times(touches jsonb) returns bigint[] language sql stable parallel safe as
            $$ select coalesce(array_agg((extract(epoch from (touch ->> 'time')::timestamptz) * 1000000)::bigint order by place), '{}')
               from jsonb_array_elements(touches) with ordinality as part(touch, place) $$;

            create function conversion.keep_path() returns trigger language plpgsql as $$
            begin
              new.path_keys := conversion.path_keys(new.touches);
              new.path_times := conversion.path_times(new.touches);
              insert into conversion.lead_source
              select distinct on (conversion.touch_key(touch)) new.workspace_id, conversion.touch_key(touch), coalesce(touch ->> 'channel', ''),
                coalesce(touch ->> 'source', ''), coalesce(touch ->> 'medium', ''), coalesce(touch ->> 'campaign', ''), coalesce(touch ->> 'keyword', ''),
                conversion.page_of(touch ->> 'landingPage')
              from jsonb_array_elements(new.touches) touch on conflict do nothing;
              return new;
            end $$;

            create trigger keep_new_path before insert on conversion.journey for each row when (new.touches is not null)
              execute function conversion.keep_path();
            create trigger keep_path before update of touches on conversion.journey for each row when (new.touches is not null)
              execute function conversion.keep_path();
            create trigger keep_new_path before insert on conversion.stage_journey for each row when (new.touches is not null)
              execute function conversion.keep_path();
            create trigger keep_path before update of touches on conversion.stage_journey for each row when (new.touches is not null)
              execute function conversion.keep_path();
            """;

        /// <summary>As before, but it touches only the stays that the entry changes, and takes the first touch from the stay before.</summary>
        private const string Moves =
            """
            create or replace function conversion.count_stage_change() returns trigger language plpgsql as $$
            declare
              owner conversion.lead;
              entered smallint := conversion.stage_number(new.to_stage);
              reached smallint;
              before timestamptz;
              key bigint;
            begin
              select * into owner from conversion.lead where workspace_id = new.workspace_id and lead_id = new.lead_id;
              select max(stage) filter (where stage <= 7), max(enter_time) filter (where stage = entered and counts),
                max(source_key) filter (where version = new.version - 1) into reached, before, key
              from conversion.stage_stay where workspace_id = new.workspace_id and lead_id = new.lead_id;
              if owner.merged_into is not null
                or exists (select 1 from conversion.lead where workspace_id = new.workspace_id and merged_into = new.lead_id) then
                perform conversion.recount_people(new.workspace_id, array[coalesce(owner.merged_into, owner.lead_id)]);
              else
                update conversion.stage_stay s set
                  leave_time = case when s.version = new.version - 1 then new.time else s.leave_time end,
                  onward_time = case when s.onward_time is null and s.stage between 2 and 6 and entered between s.stage + 1 and 7 then new.time else s.onward_time end,
                  bought_time = case when s.bought_time is null and entered between 6 and 7 then new.time else s.bought_time end
                where s.workspace_id = new.workspace_id and s.lead_id = new.lead_id and (
                  s.version = new.version - 1
                  or (s.onward_time is null and s.stage between 2 and 6 and entered between s.stage + 1 and 7)
                  or (s.bought_time is null and entered between 6 and 7));
                insert into conversion.stage_stay values (
                  new.workspace_id, new.lead_id, null, coalesce(key, conversion.keep_source(owner)), new.version, entered,
                  conversion.stage_number(new.from_stage), new.reason <> 'MERGED', new.reason = 'RECYCLED', new.time, before, null, null, null);
              end if;

              if entered between 2 and 4 and entered > coalesce(reached, 0) and new.reason not in ('MERGED', 'IMPORTED') then
                insert into conversion.stage_journey (workspace_id, kind, lead_id, time, due_time, touches)
                values (
                  new.workspace_id, new.to_stage, new.lead_id, new.time,
                  case when entered > 2 or owner.session_id is not null or owner.channel is null then clock_timestamp() end,
                  -- A new lead without a session has its first touch and no other.
                  case when entered = 2 and owner.session_id is null and owner.channel is not null then jsonb_build_array(jsonb_build_object(
                    'channel', owner.channel, 'source', owner.source, 'medium', owner.medium, 'campaign', owner.campaign, 'keyword', owner.keyword,
                    'landingPage', nullif(conversion.page_of(owner.landing_page), ''), 'time', coalesce(owner.touch_time, new.time))) end)
                on conflict do nothing;
              end if;

              return null;
            end $$;
            """;

        private const string Count =
            """
            -- Owners are held to row-level security, too; the end of the migration run puts it back.
            alter table conversion.journey no force row level security;
            alter table conversion.stage_journey no force row level security;
            alter table conversion.lead_fact no force row level security;
            alter table conversion.stage_stay no force row level security;
            alter table conversion.lead_source no force row level security;
            update conversion.journey set touches = touches where touches is not null;
            update conversion.stage_journey set touches = touches where touches is not null;
            insert into conversion.lead_day
            select workspace_id, conversion.day_of(create_time), source_key, capture_type, count(*), false from conversion.lead_fact group by 1, 2, 3, 4;
            insert into conversion.stay_day
            select workspace_id, conversion.day_of(enter_time), source_key, stage, count(*), false from conversion.stage_stay
            where counts and previous_time is null group by 1, 2, 3, 4;
            """;

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(Tables);
            migrationBuilder.Sql(Functions);
            migrationBuilder.Sql(Moves);
            migrationBuilder.Sql(Count);
        }

        /// <summary>The function of moves stays: it comes to the same rows as the one before.</summary>
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            drop trigger add_days on conversion.lead_fact;
            drop trigger take_days on conversion.lead_fact;
            drop trigger change_days on conversion.lead_fact;
            drop trigger add_days on conversion.stage_stay;
            drop trigger take_days on conversion.stage_stay;
            drop trigger change_days on conversion.stage_stay;
            drop trigger keep_new_path on conversion.journey;
            drop trigger keep_path on conversion.journey;
            drop trigger keep_new_path on conversion.stage_journey;
            drop trigger keep_path on conversion.stage_journey;
            drop function conversion.keep_path, conversion.path_times, conversion.path_keys, conversion.touch_key, conversion.recount_days,
              conversion.add_up_days, conversion.turn_of_days, conversion.change_stay_days, conversion.take_stay_days, conversion.add_stay_days,
              conversion.change_lead_days, conversion.take_lead_days, conversion.add_lead_days, conversion.day_of;
            alter table conversion.journey drop column path_keys, drop column path_times;
            alter table conversion.stage_journey drop column path_keys, drop column path_times;
            drop index conversion.ix_stage_stay_again;
            drop table conversion.stay_day, conversion.lead_day;
            """);
    }
}
