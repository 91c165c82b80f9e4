using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>What advocates did in a period, and how loyalty programs fare.</summary>
internal static class AdvocacyReports
{
    private const int MaxRows = 1000;

    /// <summary>Dimensions by name with their SQL over a fact <c>f</c>, the advocate's customer <c>c</c> and lead <c>l</c>.</summary>
    private static readonly Dictionary<string, string> Dimensions = new(Facts.Dimensions, StringComparer.Ordinal)
    {
        ["program"] = "coalesce(f.program, '')",
        ["advocate"] = "coalesce(l.lead_id::text, '')",
    };

    /// <summary>The SQL of the dimension asked for; null for another.</summary>
    public static string? Group(string groupBy) => groupBy.Length == 0 ? "''" : Dimensions.GetValueOrDefault(groupBy);

    public static string Known => string.Join(", ", Dimensions.Keys);

    public static async Task<AdvocacyReport> Run(Transaction<RetentionDbContext> tx, ReportPeriod period, string group, string currencyCode)
    {
        var parameters =
            new { workspaceId = tx.WorkspaceId, from = period.From, to = period.To, limit = MaxRows, timeZone = period.TimeZone.Id };
        var rows = (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            $"""
            with fact as (
              select lead_id, null::uuid as customer_id, null::text as program,
                case when advocate_time >= @from then 'gained' else 'before' end as what, 1::numeric as n
              from lead_profile where workspace_id = @workspaceId and merged_into is null and advocate and advocate_time < @to
              union all
              select k.advocate_lead_id, null, k.program, 'clicks', sum(o.people) from referral_click o
              join referral_link k on k.workspace_id = o.workspace_id and k.id = o.link_id
              where o.workspace_id = @workspaceId and o.time >= @from and o.time < @to group by 1, 3
              union all
              select k.advocate_lead_id, null, k.program, 'bots', sum(o.programs) from referral_click o
              join referral_link k on k.workspace_id = o.workspace_id and k.id = o.link_id
              where o.workspace_id = @workspaceId and o.time >= @from and o.time < @to group by 1, 3
              union all
              select r.advocate_lead_id, null, k.program, case when r.converted then 'converted' when r.referred_lead_id is not null then 'captured' else 'open' end, 1
              from referral r left join referral_link k on k.workspace_id = r.workspace_id and k.id = r.link_id
              where r.workspace_id = @workspaceId and not r.declined and r.create_time >= @from and r.create_time < @to
              union all
              select r.advocate_lead_id, null, k.program, 'leads', 1 from referral r
              join lead_profile p on p.workspace_id = r.workspace_id and p.lead_id = r.referred_lead_id and p.known_time >= @from and p.known_time < @to
              left join referral_link k on k.workspace_id = r.workspace_id and k.id = r.link_id
              where r.workspace_id = @workspaceId and not r.declined
              union all
              select r.advocate_lead_id, null, k.program, 'customers', 1 from referral r
              join customer b on b.workspace_id = r.workspace_id and b.lead_id = r.referred_lead_id and b.start_time >= @from and b.start_time < @to
              left join referral_link k on k.workspace_id = r.workspace_id and k.id = r.link_id
              where r.workspace_id = @workspaceId and not r.declined
              union all
              select r.advocate_lead_id, null, k.program, 'revenue', e.base_amount from referral r
              join customer b on b.workspace_id = r.workspace_id and b.lead_id = r.referred_lead_id
              join revenue e on e.workspace_id = b.workspace_id and e.customer_id = b.id and e.type in ('New', 'Upsell', 'CrossSell', 'Renewal')
                and e.occur_time >= @from and e.occur_time < @to and e.occur_time >= date_trunc('day', r.create_time at time zone 'UTC') at time zone 'UTC'
              left join referral_link k on k.workspace_id = r.workspace_id and k.id = r.link_id
              where r.workspace_id = @workspaceId and not r.declined
              union all
              select null, customer_id, null, kind, 1 from advocacy
              where workspace_id = @workspaceId and status = 'PUBLISHED' and consent
                and coalesce(publish_time, create_time) >= @from and coalesce(publish_time, create_time) < @to)
            select {group} as group_name, coalesce(sum(n) filter (where what = 'gained'), 0)::bigint as gained,
              coalesce(sum(n) filter (where what in ('gained', 'before')), 0)::bigint as advocates,
              coalesce(sum(n) filter (where what = 'clicks'), 0)::bigint as clicks, coalesce(sum(n) filter (where what = 'bots'), 0)::bigint as bots,
              coalesce(sum(n) filter (where what = 'open'), 0)::bigint as open, coalesce(sum(n) filter (where what = 'captured'), 0)::bigint as captured,
              coalesce(sum(n) filter (where what = 'converted'), 0)::bigint as converted, coalesce(sum(n) filter (where what = 'leads'), 0)::bigint as leads,
              coalesce(sum(n) filter (where what = 'customers'), 0)::bigint as customers, coalesce(sum(n) filter (where what = 'revenue'), 0) as revenue,
              coalesce(sum(n) filter (where what = 'CASE_STUDY'), 0)::bigint as case_studies, coalesce(sum(n) filter (where what = 'REVIEW'), 0)::bigint as reviews,
              coalesce(sum(n) filter (where what = 'REFERENCE'), 0)::bigint as "references",
              coalesce(sum(n) filter (where what = 'TESTIMONIAL'), 0)::bigint as testimonials
            from fact f
            left join customer c on c.workspace_id = @workspaceId
              and c.id = coalesce(f.customer_id, (select x.id from customer x where x.workspace_id = @workspaceId and x.lead_id = f.lead_id))
            left join lead_profile l on l.workspace_id = @workspaceId and l.lead_id = coalesce(f.lead_id, c.lead_id)
            group by 1 order by revenue desc, customers desc, leads desc, 1 limit @limit
            """,
            parameters, cancellationToken: tx.CancellationToken))).AsList();
        var programs = (await tx.Connection.QueryAsync<Program>(new CommandDefinition(
            """
            select p.id, p.display_name, coalesce(m.members, 0) as members, coalesce(m.joined, 0) as joined, coalesce(m.active, 0) as active,
              coalesce(e.given, 0) as given, coalesce(e.redeemed, 0) as redeemed
            from loyalty_program p
            left join (
              select m.program_id, count(*) as members, count(*) filter (where m.join_time >= @from) as joined,
                count(*) filter (where exists (
                  select 1 from loyalty_entry e where e.workspace_id = m.workspace_id and e.program_id = m.program_id and e.customer_id = m.customer_id
                    and e.time >= @from and e.time < @to)) as active
              from loyalty_member m join customer c on c.workspace_id = m.workspace_id and c.id = m.customer_id and (not c.churned or c.churn_time >= @to)
              where m.workspace_id = @workspaceId and m.join_time < @to group by 1) m on m.program_id = p.id
            left join (
              select program_id, coalesce(sum(points) filter (where points > 0), 0)::bigint as given, coalesce(-sum(points) filter (where points < 0), 0)::bigint as redeemed
              from loyalty_entry where workspace_id = @workspaceId and time >= @from and time < @to group by 1) e on e.program_id = p.id
            where p.workspace_id = @workspaceId order by p.id
            """,
            parameters, cancellationToken: tx.CancellationToken))).AsList();
        var report = new AdvocacyReport
        {
            Rows = { rows.Select(row => ToProto(row, currencyCode)) },
            LoyaltyPrograms = { programs.Select(ToProto) },
            Note = rows.Count == 0 ? "Nobody recommended us by the end of the period." : "",
        };
        await LoyaltyEffects.Add(tx, period, report.LoyaltyPrograms);
        return report;
    }

    private static AdvocacyReportRow ToProto(Row row, string currencyCode) => new()
    {
        Group = row.GroupName,
        AdvocatesGained = row.Gained,
        Advocates = row.Advocates,
        Clicks = row.Clicks,
        BotClicks = row.Bots,
        ReferralsOpen = row.Open,
        ReferralsCaptured = row.Captured,
        ReferralsConverted = row.Converted,
        Leads = row.Leads,
        Customers = row.Customers,
        Revenue = new Kernel.Money(currencyCode, row.Revenue).ToProto(),
        CaseStudies = row.CaseStudies,
        Reviews = row.Reviews,
        References = row.References,
        Testimonials = row.Testimonials,
    };

    private static LoyaltyProgramActivity ToProto(Program row)
    {
        var proto = new LoyaltyProgramActivity
        {
            ProgramId = row.Id.ToString(),
            DisplayName = row.DisplayName,
            Members = row.Members,
            Joined = row.Joined,
            ActiveMembers = row.Active,
            PointsGiven = row.Given,
            PointsRedeemed = row.Redeemed,
        };
        if (MetricsAnswer.Ratio(row.Active, row.Members) is { } share)
        {
            proto.ActiveShare = share;
        }

        return proto;
    }

    private sealed class Row
    {
        public string GroupName { get; init; } = "";

        public long Gained { get; init; }

        public long Advocates { get; init; }

        public long Clicks { get; init; }

        public long Bots { get; init; }

        public long Open { get; init; }

        public long Captured { get; init; }

        public long Converted { get; init; }

        public long Leads { get; init; }

        public long Customers { get; init; }

        public decimal Revenue { get; init; }

        public long CaseStudies { get; init; }

        public long Reviews { get; init; }

        public long References { get; init; }

        public long Testimonials { get; init; }
    }

    private sealed class Program
    {
        public Guid Id { get; init; }

        public string DisplayName { get; init; } = "";

        public long Members { get; init; }

        public long Joined { get; init; }

        public long Active { get; init; }

        public long Given { get; init; }

        public long Redeemed { get; init; }
    }
}
