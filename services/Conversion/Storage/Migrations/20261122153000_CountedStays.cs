using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <summary>
    /// What the funnel of a whole period tells is counted before it is asked for. <c>stay_sum</c> holds the stays of <c>stage_stay</c> by the days
    /// (lengths: by the months) at which they began and ended. Every change of a stay leaves a row of its own in <c>stay_loose</c>, with a sign, in
    /// its own transaction, so that no two writers meet; <c>add_up_stays</c> adds them to the sums, <c>recount_stays</c> makes the sums anew. Sums
    /// and loose rows together say the same as the stays at any moment.
    /// </summary>
    [DbContext(typeof(ConversionDbContext))]
    [Migration("20261122153000_CountedStays")]
    public partial class CountedStays : Migration
    {
        private const string Tables =
            """
            create table conversion.stay_sum (
              workspace_id uuid not null, kind smallint not null, stage smallint not null, enter_day date not null, end_day date not null,
              previous_day date not null, place integer not null, stays bigint not null, milliseconds bigint not null,
              primary key (workspace_id, kind, enter_day, stage, end_day, previous_day, place)) with (fillfactor = 80);
            create index ix_stay_sum_end on conversion.stay_sum (workspace_id, kind, end_day) where kind >= 2;
            comment on column conversion.stay_sum.kind is
              '1 entries that count, by day, day of going on and of the entry before; 2 stays of leads that stand for themselves, by day and day of leaving; '
              '3 lengths of stays that ended, by month, month of leaving and place.';
            comment on column conversion.stay_sum.end_day is 'infinity: not yet.';
            comment on column conversion.stay_sum.previous_day is '-infinity: none.';
            comment on column conversion.stay_sum.place is 'Bucket of the length, see stay_place; 0 where lengths are not counted.';
            comment on column conversion.stay_sum.milliseconds is 'Their lengths together; 0 where lengths are not counted.';

            create table conversion.stay_loose (
              workspace_id uuid not null, enter_time timestamptz not null, previous_time timestamptz, leave_time timestamptz, onward_time timestamptz,
              stage smallint not null, sign smallint not null, counts boolean not null, own boolean not null);
            create index ix_stay_loose on conversion.stay_loose (workspace_id);
            comment on table conversion.stay_loose is 'Stays that came (sign 1) or went (-1) and are not in the sums yet.';

            -- Entries anew are asked for by stage; other currencies than the workspace's, and leads with several deals won, are looked for in each
            -- report of money.
            drop index conversion.ix_stage_stay_again;
            create index ix_stage_stay_again on conversion.stage_stay (workspace_id, stage, enter_time) where previous_time is not null;
            create index ix_deal_fact_currency on conversion.deal_fact (workspace_id, currency_code);
            create index ix_deal_fact_won on conversion.deal_fact (workspace_id, lead_id) where state = 'WON' and lead_id is not null;
            create index ix_spend_currency on conversion.spend (workspace_id, currency_code);
            """;

        private const string Functions =
            """
            create function conversion.month_of(moment timestamptz) returns date language sql immutable parallel safe as
            $$ select date_trunc('month', moment at time zone 'UTC')::date $$;

            -- Buckets of lengths, each a five-hundredth of a factor of e wide.
            create function conversion.stay_place(enter_time timestamptz, leave_time timestamptz) returns integer language sql immutable parallel safe as
            $$ select floor(ln(greatest(date_part('epoch', leave_time - enter_time) / 86400.0, 1e-9)) * 500)::integer $$;

            create function conversion.stay_milliseconds(enter_time timestamptz, leave_time timestamptz) returns bigint language sql immutable parallel safe as
            $$ select round(date_part('epoch', leave_time - enter_time) * 1000)::bigint $$;

            -- The sums that one stay belongs to.
            create function conversion.stay_parts(
              counts boolean, own boolean, enter_time timestamptz, previous_time timestamptz, leave_time timestamptz, onward_time timestamptz)
            returns table (kind smallint, enter_day date, end_day date, previous_day date, place integer, milliseconds bigint)
            language sql immutable parallel safe as
            $$ select 1::smallint, conversion.day_of(enter_time), coalesce(conversion.day_of(onward_time), 'infinity'),
                 coalesce(conversion.day_of(previous_time), '-infinity'), 0, 0::bigint where counts
               union all
               select 2::smallint, conversion.day_of(enter_time), coalesce(conversion.day_of(leave_time), 'infinity'), '-infinity'::date, 0, 0::bigint where own
               union all
               select 3::smallint, conversion.month_of(enter_time), conversion.month_of(leave_time), '-infinity'::date,
                 conversion.stay_place(enter_time, leave_time), conversion.stay_milliseconds(enter_time, leave_time) where leave_time is not null $$;

            create function conversion.add_stays() returns trigger language plpgsql as $$
            begin
              insert into conversion.stay_loose
              select workspace_id, enter_time, previous_time, leave_time, onward_time, stage, 1, counts, person_id is null from added;
              return null;
            end $$;

            create function conversion.take_stays() returns trigger language plpgsql as $$
            begin
              insert into conversion.stay_loose
              select workspace_id, enter_time, previous_time, leave_time, onward_time, stage, -1, counts, person_id is null from removed;
              return null;
            end $$;

            create function conversion.change_stays() returns trigger language plpgsql as $$
            begin
              insert into conversion.stay_loose values
                (old.workspace_id, old.enter_time, old.previous_time, old.leave_time, old.onward_time, old.stage, -1, old.counts, old.person_id is null),
                (new.workspace_id, new.enter_time, new.previous_time, new.leave_time, new.onward_time, new.stage, 1, new.counts, new.person_id is null);
              return null;
            end $$;

            create trigger add_stays after insert on conversion.stage_stay referencing new table as added
              for each statement execute function conversion.add_stays();
            create trigger take_stays after delete on conversion.stage_stay referencing old table as removed
              for each statement execute function conversion.take_stays();
            create trigger change_stays after update on conversion.stage_stay for each row when (
              (old.workspace_id, old.enter_time, old.previous_time, old.leave_time, old.onward_time, old.stage, old.counts, old.person_id is null)
              is distinct from
              (new.workspace_id, new.enter_time, new.previous_time, new.leave_time, new.onward_time, new.stage, new.counts, new.person_id is null))
              execute function conversion.change_stays();

            -- Adds loose stays to the sums, at most so many; returns how many.
            create function conversion.add_up_stays(ws uuid, most integer) returns integer language plpgsql as $$
            declare
              total integer;
            begin
              perform conversion.turn_of_days(ws);
              with gone as (
                delete from conversion.stay_loose where workspace_id = ws
                  and ctid = any(array(select ctid from conversion.stay_loose where workspace_id = ws limit most)) returning *),
              kept as (
                insert into conversion.stay_sum as s
                select ws, p.kind, g.stage, p.enter_day, p.end_day, p.previous_day, p.place, sum(g.sign), sum(g.sign * p.milliseconds)
                from gone g
                cross join lateral conversion.stay_parts(g.counts, g.own, g.enter_time, g.previous_time, g.leave_time, g.onward_time) p
                group by 2, 3, 4, 5, 6, 7 having sum(g.sign) <> 0 or sum(g.sign * p.milliseconds) <> 0
                on conflict (workspace_id, kind, enter_day, stage, end_day, previous_day, place)
                do update set stays = s.stays + excluded.stays, milliseconds = s.milliseconds + excluded.milliseconds)
              select count(*) into total from gone;
              return total;
            end $$;

            -- The sums of stays that began from first to before last, which are first days of months, anew; returns how many were otherwise.
            create function conversion.recount_stays(ws uuid, first date, last date) returns bigint language plpgsql as $$
            declare
              off bigint;
              since timestamptz := first::timestamp at time zone 'UTC';
              before timestamptz := last::timestamp at time zone 'UTC';
            begin
              perform conversion.turn_of_days(ws);
              with gone as (
                delete from conversion.stay_loose where workspace_id = ws and enter_time >= since and enter_time < before returning *),
              part as (
                select p.kind, g.stage, p.enter_day, p.end_day, p.previous_day, p.place, false as is_loose, 1 as stays, p.milliseconds
                from conversion.stage_stay g
                cross join lateral conversion.stay_parts(g.counts, g.person_id is null, g.enter_time, g.previous_time, g.leave_time, g.onward_time) p
                where g.workspace_id = ws and g.enter_time >= since and g.enter_time < before
                union all
                select p.kind, g.stage, p.enter_day, p.end_day, p.previous_day, p.place, true, -g.sign, -g.sign * p.milliseconds
                from gone g
                cross join lateral conversion.stay_parts(g.counts, g.own, g.enter_time, g.previous_time, g.leave_time, g.onward_time) p
                union all
                select kind, stage, enter_day, end_day, previous_day, place, false, -stays, -milliseconds
                from conversion.stay_sum where workspace_id = ws and enter_day >= first and enter_day < last),
              found as (
                select kind, stage, enter_day, end_day, previous_day, place,
                  coalesce(sum(stays) filter (where not is_loose), 0) as stays, coalesce(sum(milliseconds) filter (where not is_loose), 0) as milliseconds,
                  sum(stays) <> 0 or sum(milliseconds) <> 0 as is_off
                from part group by 1, 2, 3, 4, 5, 6),
              kept as (
                insert into conversion.stay_sum as s
                select ws, kind, stage, enter_day, end_day, previous_day, place, stays, milliseconds from found where stays <> 0 or milliseconds <> 0
                on conflict (workspace_id, kind, enter_day, stage, end_day, previous_day, place)
                do update set stays = s.stays + excluded.stays, milliseconds = s.milliseconds + excluded.milliseconds)
              select count(*) into off from found where is_off;
              delete from conversion.stay_sum
              where workspace_id = ws and enter_day >= first and enter_day < last and stays = 0 and milliseconds = 0;
              return off;
            end $$;
            """;

        private const string Count =
            """
            -- Owners are held to row-level security, too; the end of the migration run puts it back.
            alter table conversion.stage_stay no force row level security;
            insert into conversion.stay_sum
            select s.workspace_id, p.kind, s.stage, p.enter_day, p.end_day, p.previous_day, p.place, count(*), sum(p.milliseconds)
            from conversion.stage_stay s
            cross join lateral conversion.stay_parts(s.counts, s.person_id is null, s.enter_time, s.previous_time, s.leave_time, s.onward_time) p
            group by 1, 2, 3, 4, 5, 6, 7;
            """;

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(Tables);
            migrationBuilder.Sql(Functions);
            migrationBuilder.Sql(Count);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            drop trigger add_stays on conversion.stage_stay;
            drop trigger take_stays on conversion.stage_stay;
            drop trigger change_stays on conversion.stage_stay;
            drop function conversion.recount_stays, conversion.add_up_stays, conversion.change_stays, conversion.take_stays, conversion.add_stays,
              conversion.stay_parts, conversion.stay_milliseconds, conversion.stay_place, conversion.month_of;
            drop table conversion.stay_loose, conversion.stay_sum;
            drop index conversion.ix_deal_fact_currency, conversion.ix_deal_fact_won, conversion.ix_spend_currency, conversion.ix_stage_stay_again;
            create index ix_stage_stay_again on conversion.stage_stay (workspace_id, enter_time) where previous_time is not null;
            """);
    }
}
