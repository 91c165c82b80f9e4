using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>Makes advocates of the customers that meet the workspace's rule, each once and for good.</summary>
internal static class GainAdvocates
{
    /// <summary>Leads that one transaction takes at most.</summary>
    public const int PageSize = 500;

    /// <summary>How long an NPS answer tells of a promoter.</summary>
    private const int PromoterDays = 365;

    /// <returns>How many became advocates: below <see cref="PageSize"/> when none is left.</returns>
    /// <param name="tx">The transaction; what it changed is saved.</param>
    /// <param name="leadIds">Only these; null: all, in order of their ids.</param>
    public static async Task<int> Run(Transaction<RetentionDbContext> tx, Guid[]? leadIds)
    {
        var rule = await AdvocateRules.InForce(tx);
        var found = await tx.Connection.QueryAsync<Found>(new CommandDefinition(
            """
            with sent as (
              select r.advocate_lead_id as lead_id, case @referralState when 'OPEN' then r.create_time when 'CAPTURED' then greatest(r.create_time, p.known_time)
                else greatest(r.create_time, b.start_time) end as time
              from referral r
              left join lead_profile p on p.workspace_id = r.workspace_id and p.lead_id = r.referred_lead_id
              left join customer b on b.workspace_id = r.workspace_id and b.lead_id = r.referred_lead_id
              where r.workspace_id = @workspaceId and not r.declined and @minReferrals > 0 and (@leadIds::uuid[] is null or r.advocate_lead_id = any(@leadIds))
                and (@referralState = 'OPEN' or r.converted or (@referralState = 'CAPTURED' and r.referred_lead_id is not null))),
            said as (
              select c.id as customer_id, c.lead_id, a.kind, coalesce(a.publish_time, a.create_time) as time
              from advocacy a join customer c on c.workspace_id = a.workspace_id and c.id = a.customer_id and c.lead_id is not null
              where a.workspace_id = @workspaceId and a.status = 'PUBLISHED' and a.consent and @minAdvocacy > 0
                and (cardinality(@kinds) = 0 or a.kind = any(@kinds)) and (@leadIds::uuid[] is null or c.lead_id = any(@leadIds))),
            met as (
              select lead_id, 'REFERRAL' as kind, (array_agg(time order by time))[@minReferrals] as time from sent group by 1 having count(*) >= @minReferrals
              union all
              select s.lead_id, (array_agg(s.kind order by s.time))[1], greatest((array_agg(s.time order by s.time))[@minAdvocacy], max(n.answer_time))
              from said s
              left join lateral (
                select v.answer_time, v.score from survey_answer v join survey u on u.workspace_id = v.workspace_id and u.id = v.survey_id and u.type = 'Nps'
                where @needsPromoter and v.workspace_id = @workspaceId and v.customer_id = s.customer_id order by v.answer_time desc limit 1) n on true
              where not @needsPromoter or (n.score >= 9 and n.answer_time > @now - make_interval(days => @promoterDays))
              group by 1 having count(*) >= @minAdvocacy)
            select distinct on (m.lead_id) m.lead_id, m.kind, greatest(m.time, c.start_time) as time
            from met m join customer c on c.workspace_id = @workspaceId and c.lead_id = m.lead_id and not c.churned
            left join lead_profile l on l.workspace_id = @workspaceId and l.lead_id = m.lead_id
            where (l.lead_id is null or not (l.advocate or l.erased or l.merged_into is not null))
            order by m.lead_id, m.time, m.kind limit @limit
            """,
            new
            {
                workspaceId = tx.WorkspaceId,
                leadIds,
                minReferrals = rule.MinReferrals,
                referralState = rule.ReferralState,
                minAdvocacy = rule.MinAdvocacy,
                kinds = rule.AdvocacyKinds,
                needsPromoter = rule.NeedsPromoter,
                promoterDays = PromoterDays,
                now = tx.Now,
                limit = PageSize,
            },
            cancellationToken: tx.CancellationToken));
        var count = 0;
        foreach (var one in found.AsList())
        {
            count++;
            // What another transaction did meanwhile counts: the statement itself asks whether it is done.
            if (await tx.Connection.ExecuteAsync(
                """
                insert into lead_profile (workspace_id, lead_id, channel, source, medium, campaign, version, erased, advocate, advocate_time)
                values (@workspaceId, @leadId, '', '', '', '', 0, false, true, @time)
                on conflict (workspace_id, lead_id) do update set advocate = true, advocate_time = excluded.advocate_time
                where not (lead_profile.advocate or lead_profile.erased or lead_profile.merged_into is not null)
                """,
                new { workspaceId = tx.WorkspaceId, leadId = one.LeadId, time = one.Time.ToUniversalTime() }) == 1)
            {
                tx.Publish(new AdvocateGained(tx.NewId(), tx.WorkspaceId, one.Time, 1, one.LeadId, one.Kind));
            }
        }

        return count;
    }

    private sealed class Found
    {
        public Guid LeadId { get; init; }

        public string Kind { get; init; } = "";

        public DateTimeOffset Time { get; init; }
    }
}
