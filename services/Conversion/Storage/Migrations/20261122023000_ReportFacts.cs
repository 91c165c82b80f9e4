using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <summary>
    /// Narrow copies of what reports count, kept by triggers in the transaction of each change, so that no way of writing can miss them:
    /// <c>stage_stay</c> has one row for each entry into a stage, <c>lead_fact</c> one for each person, <c>deal_fact</c> one for each deal.
    /// <c>recount_people</c> and <c>recount_deals</c> make the same rows anew from the ledger; both ways agree, which a test holds.
    /// </summary>
    [DbContext(typeof(ConversionDbContext))]
    [Migration("20261122023000_ReportFacts")]
    public partial class ReportFacts : Migration
    {
        private const string Tables =
            """
            -- First touches by a key of 64 bits of their values; rows of other tables carry the key alone.
            create table conversion.lead_source (
              workspace_id uuid not null, source_key bigint not null,
              channel text not null, source text not null, medium text not null, campaign text not null, keyword text not null,
              landing_page text not null,
              primary key (workspace_id, source_key));

            -- One entry of a lead into a stage. Stages by their number in the funnel: 2 LEAD to 7 ADVOCATE, 8 DISQUALIFIED, 9 CHURNED.
            create table conversion.stage_stay (
              workspace_id uuid not null, lead_id uuid not null, person_id uuid, source_key bigint not null, version integer not null,
              stage smallint not null, from_stage smallint not null, counts boolean not null, returned boolean not null,
              enter_time timestamptz not null, previous_time timestamptz, leave_time timestamptz, onward_time timestamptz, bought_time timestamptz,
              primary key (workspace_id, lead_id, version));
            comment on column conversion.stage_stay.person_id is 'The lead that this one was merged into; null where it stands for itself.';
            comment on column conversion.stage_stay.counts is 'False for the entry by which a merge brings the target to the stage of the source.';
            comment on column conversion.stage_stay.previous_time is 'The entry of the same person into the same stage before this one.';
            comment on column conversion.stage_stay.onward_time is 'When the person first reached a later stage of the funnel after this entry.';
            comment on column conversion.stage_stay.bought_time is 'When the person first became a customer after this entry.';
            create index ix_stage_stay_time on conversion.stage_stay (workspace_id, enter_time);
            create index ix_stage_stay_person on conversion.stage_stay (workspace_id, person_id) where person_id is not null;

            create table conversion.lead_fact (
              workspace_id uuid not null, lead_id uuid not null, source_key bigint not null, create_time timestamptz not null,
              capture_type text not null,
              primary key (workspace_id, lead_id));
            create index ix_lead_fact_time on conversion.lead_fact (workspace_id, create_time);

            -- origin_time: the creation of the lead, or of the deal where it has none.
            create table conversion.deal_fact (
              workspace_id uuid not null, opportunity_id uuid not null, lead_id uuid, source_key bigint, state text not null,
              amount numeric not null, currency_code text not null, create_time timestamptz not null, close_time timestamptz,
              origin_time timestamptz not null,
              primary key (workspace_id, opportunity_id));
            create index ix_deal_fact_lead on conversion.deal_fact (workspace_id, lead_id) where lead_id is not null;

            -- The touches before a lead first reached LEAD, MQL or SQL, as they were then.
            create table conversion.stage_journey (
              workspace_id uuid not null, kind text not null, lead_id uuid not null, time timestamptz not null, due_time timestamptz,
              attempts integer not null default 0, touches jsonb,
              primary key (workspace_id, kind, lead_id));
            create index ix_stage_journey_due on conversion.stage_journey (workspace_id, due_time) where due_time is not null;
            create index ix_stage_journey_time on conversion.stage_journey (workspace_id, kind, time);

            create table conversion.attribution_setting (
              workspace_id uuid not null, kind text not null, lookback_days integer not null,
              primary key (workspace_id, kind));

            create table conversion.attribution_run (
              workspace_id uuid not null, id uuid not null, kind text not null, model integer not null, half_life_days double precision not null,
              lookback_days integer, dimensions text[] not null, time_zone text not null, currency_code text not null,
              state text not null, total bigint not null default 0, done bigint not null default 0, attempts integer not null default 0,
              due_time timestamptz, create_time timestamptz not null, finish_time timestamptz, error text,
              primary key (workspace_id, id));
            create index ix_attribution_run_due on conversion.attribution_run (workspace_id, due_time) where due_time is not null;
            create table conversion.attribution_run_credit (
              workspace_id uuid not null, run_id uuid not null, month date not null, group_key text not null, conversions numeric not null,
              amount numeric not null, removal_effect double precision,
              primary key (workspace_id, run_id, month, group_key));
            """;

        private const string Functions =
            """
            create function conversion.stage_number(name text) returns smallint language sql immutable parallel safe as
            $$ select array_position(array['VISITOR', 'LEAD', 'MQL', 'SQL', 'OPPORTUNITY', 'CUSTOMER', 'ADVOCATE', 'DISQUALIFIED', 'CHURNED'], name)::smallint $$;

            -- The page without what follows ? or #, which may name a person.
            create function conversion.page_of(url text) returns text language sql immutable parallel safe as
            $$ select split_part(split_part(coalesce(url, ''), '?', 1), '#', 1) $$;

            create function conversion.source_key(l conversion.lead) returns bigint language sql stable parallel safe as
            $$ select hashtextextended(concat_ws(chr(31), coalesce(l.channel, ''), coalesce(l.source, ''), coalesce(l.medium, ''), coalesce(l.campaign, ''),
                 coalesce(l.keyword, ''), conversion.page_of(l.landing_page)), 0) $$;

            create function conversion.keep_source(l conversion.lead) returns bigint language plpgsql as $$
            declare
              key bigint := conversion.source_key(l);
            begin
              insert into conversion.lead_source values (l.workspace_id, key, coalesce(l.channel, ''), coalesce(l.source, ''), coalesce(l.medium, ''),
                coalesce(l.campaign, ''), coalesce(l.keyword, ''), conversion.page_of(l.landing_page)) on conflict do nothing;
              return key;
            end $$;

            -- Deals as reports count them, anew.
            create function conversion.recount_deals(ws uuid, deals uuid[]) returns void language plpgsql as $$
            begin
              delete from conversion.deal_fact where workspace_id = ws and opportunity_id = any(deals);
              insert into conversion.deal_fact
              select o.workspace_id, o.id, o.lead_id, case when l.lead_id is not null then conversion.source_key(l) end, o.state, o.amount,
                o.currency_code, o.create_time, o.close_time, coalesce(l.create_time, o.create_time)
              from conversion.opportunity o left join conversion.lead l on l.workspace_id = o.workspace_id and l.lead_id = o.lead_id
              where o.workspace_id = ws and o.id = any(deals);
            end $$;

            -- The rows of some people (leads that live on), with those merged into them, anew from the ledger.
            create function conversion.recount_people(ws uuid, people uuid[]) returns void language plpgsql as $$
            declare
              leads uuid[];
              deals uuid[];
            begin
              select coalesce(array_agg(lead_id), '{}') into leads from conversion.lead
              where workspace_id = ws and (lead_id = any(people) or merged_into = any(people));
              select coalesce(array_agg(id), '{}') into deals from conversion.opportunity where workspace_id = ws and lead_id = any(leads);
              delete from conversion.stage_stay where workspace_id = ws and lead_id = any(leads);
              delete from conversion.lead_fact where workspace_id = ws and lead_id = any(leads);
              insert into conversion.lead_source
              select distinct on (conversion.source_key(p)) p.workspace_id, conversion.source_key(p), coalesce(p.channel, ''), coalesce(p.source, ''),
                coalesce(p.medium, ''), coalesce(p.campaign, ''), coalesce(p.keyword, ''), conversion.page_of(p.landing_page)
              from conversion.lead p where p.workspace_id = ws and p.lead_id = any(leads) on conflict do nothing;
              insert into conversion.lead_fact
              select p.workspace_id, p.lead_id, conversion.source_key(p), p.create_time, coalesce(p.capture_type, '')
              from conversion.lead p
              where p.workspace_id = ws and p.lead_id = any(leads) and p.merged_into is null and p.captured and p.create_time is not null;
              insert into conversion.stage_stay
              with change as (
                select c.lead_id, c.version, c.time, conversion.stage_number(c.to_stage) as stage, conversion.stage_number(c.from_stage) as from_stage,
                  c.reason, l.merged_into, coalesce(l.merged_into, l.lead_id) as person, c.reason <> 'MERGED' as counts,
                  lead(c.time) over (partition by c.lead_id order by c.version) as leave_time
                from conversion.stage_change c join conversion.lead l on l.workspace_id = c.workspace_id and l.lead_id = c.lead_id
                where c.workspace_id = ws and c.lead_id = any(leads)),
              source as (
                select lead_id, conversion.source_key(p) as source_key from conversion.lead p where workspace_id = ws and lead_id = any(leads) and merged_into is null)
              select ws, c.lead_id, c.merged_into, s.source_key, c.version, c.stage, c.from_stage, c.counts, c.reason = 'RECYCLED', c.time,
                max(c.time) filter (where c.counts) over (
                  partition by c.person, c.stage order by c.time, c.lead_id, c.version rows between unbounded preceding and 1 preceding),
                c.leave_time, later.onward_time, later.bought_time
              from change c join source s on s.lead_id = c.person
              left join lateral (
                select min(d.time) filter (where c.stage between 2 and 6 and d.stage > c.stage) as onward_time,
                  min(d.time) filter (where d.stage >= 6) as bought_time
                from (select d.lead_id, d.version, d.time, conversion.stage_number(d.to_stage) as stage from conversion.stage_change d
                      where d.workspace_id = ws and d.lead_id in (c.lead_id, c.merged_into)) d
                where d.stage between 2 and 7
                  and ((d.lead_id = c.lead_id and d.version > c.version) or (d.lead_id = c.merged_into and d.time >= c.time))) later on true;
              perform conversion.recount_deals(ws, deals);
            end $$;

            -- A new entry of the ledger. Whoever moves a lead has locked its row, so that nothing else counts it meanwhile.
            create function conversion.count_stage_change() returns trigger language plpgsql as $$
            declare
              owner conversion.lead;
              entered smallint := conversion.stage_number(new.to_stage);
              reached smallint;
              before timestamptz;
            begin
              select * into owner from conversion.lead where workspace_id = new.workspace_id and lead_id = new.lead_id;
              select max(stage) filter (where stage <= 7), max(enter_time) filter (where stage = entered and counts) into reached, before
              from conversion.stage_stay where workspace_id = new.workspace_id and lead_id = new.lead_id;
              if owner.merged_into is not null
                or exists (select 1 from conversion.lead where workspace_id = new.workspace_id and merged_into = new.lead_id) then
                perform conversion.recount_people(new.workspace_id, array[coalesce(owner.merged_into, owner.lead_id)]);
              else
                update conversion.stage_stay s set
                  leave_time = case when s.version = new.version - 1 then new.time else s.leave_time end,
                  onward_time = case when s.onward_time is null and s.stage between 2 and 6 and entered between s.stage + 1 and 7 then new.time else s.onward_time end,
                  bought_time = case when s.bought_time is null and entered between 6 and 7 then new.time else s.bought_time end
                where s.workspace_id = new.workspace_id and s.lead_id = new.lead_id;
                insert into conversion.stage_stay values (
                  new.workspace_id, new.lead_id, null, conversion.keep_source(owner), new.version, entered, conversion.stage_number(new.from_stage),
                  new.reason <> 'MERGED', new.reason = 'RECYCLED', new.time, before, null, null, null);
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

            -- What a report groups by, or who a person is, has changed.
            create function conversion.count_lead() returns trigger language plpgsql as $$
            declare
              key bigint;
            begin
              if new.merged_into is not null or exists (
                select 1 from conversion.lead where workspace_id = new.workspace_id and merged_into = new.lead_id) then
                perform conversion.recount_people(new.workspace_id, array[coalesce(new.merged_into, new.lead_id)]);
                return null;
              end if;

              key := conversion.keep_source(new);
              if new.captured and new.create_time is not null then
                insert into conversion.lead_fact values (new.workspace_id, new.lead_id, key, new.create_time, coalesce(new.capture_type, ''))
                on conflict (workspace_id, lead_id) do update
                  set source_key = excluded.source_key, create_time = excluded.create_time, capture_type = excluded.capture_type;
              end if;

              if tg_op = 'UPDATE' then
                update conversion.stage_stay set source_key = key where workspace_id = new.workspace_id and lead_id = new.lead_id and source_key <> key;
                update conversion.deal_fact set source_key = key, origin_time = coalesce(new.create_time, create_time)
                where workspace_id = new.workspace_id and lead_id = new.lead_id;
              end if;

              return null;
            end $$;

            create function conversion.count_deal() returns trigger language plpgsql as $$
            begin
              if tg_op = 'DELETE' then
                delete from conversion.deal_fact where workspace_id = old.workspace_id and opportunity_id = old.id;
              else
                perform conversion.recount_deals(new.workspace_id, array[new.id]);
              end if;

              return null;
            end $$;

            -- At the commit, when the row of the lead says all that the transaction has to say.
            create constraint trigger count_stage_change after insert on conversion.stage_change deferrable initially deferred
              for each row execute function conversion.count_stage_change();
            create trigger count_new_lead after insert on conversion.lead for each row when (new.captured) execute function conversion.count_lead();
            create trigger count_lead after update on conversion.lead for each row when (
              (new.captured, new.create_time, new.capture_type, new.channel, new.source, new.medium, new.campaign, new.keyword, new.landing_page, new.merged_into)
              is distinct from
              (old.captured, old.create_time, old.capture_type, old.channel, old.source, old.medium, old.campaign, old.keyword, old.landing_page, old.merged_into))
              execute function conversion.count_lead();
            create trigger count_deal after insert or update or delete on conversion.opportunity for each row execute function conversion.count_deal();
            """;

        private const string Count =
            """
            -- Owners are held to row-level security, too; the end of the migration run puts it back.
            alter table conversion.lead no force row level security;
            alter table conversion.stage_change no force row level security;
            alter table conversion.opportunity no force row level security;
            select conversion.recount_people(workspace_id, array_agg(lead_id)) from conversion.lead where merged_into is null group by workspace_id;
            select conversion.recount_deals(workspace_id, array_agg(id)) from conversion.opportunity group by workspace_id;
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
            drop trigger count_stage_change on conversion.stage_change;
            drop trigger count_new_lead on conversion.lead;
            drop trigger count_lead on conversion.lead;
            drop trigger count_deal on conversion.opportunity;
            drop function conversion.count_stage_change, conversion.count_lead, conversion.count_deal, conversion.recount_people, conversion.recount_deals,
              conversion.keep_source, conversion.source_key, conversion.page_of, conversion.stage_number;
            drop table conversion.attribution_run_credit, conversion.attribution_run, conversion.attribution_setting, conversion.stage_journey,
              conversion.deal_fact, conversion.lead_fact, conversion.stage_stay, conversion.lead_source;
            """);
    }
}
