using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.TrackReferrals;

/// <summary>A lead was seen with a code.</summary>
internal readonly record struct SeenCode(Guid LeadId, string Code, DateTimeOffset Time);

/// <summary>
/// Credits a lead to whoever sent it. What is seen of a lead with a code is kept as a claim, because the lead's profile may come later; the
/// earliest that counts becomes the referral. It counts where the link was there before the lead, was good when the code was seen, and is
/// not the lead's own.
/// </summary>
internal static class ReferralCredits
{
    /// <summary>Codes of a profile: of its first touch, of its traits, of its last touch.</summary>
    public static async Task Profile(
        Transaction<RetentionDbContext> tx, Guid leadId, DateTimeOffset time, TouchInfo first, TouchInfo last,
        IReadOnlyDictionary<string, string> traits)
    {
        var seen = new List<SeenCode>();
        Add(seen, leadId, ReferralCodes.OfAddress(first.LandingPage), first.Time);
        Add(seen, leadId, ReferralCodes.OfTraits(traits), time);
        Add(seen, leadId, ReferralCodes.OfAddress(last.LandingPage), last.Time);
        // A merged lead's profile is locked by now; the one it lives on as tells its own.
        if (seen.Count > 0 && await LeadProfiles.Resolve(tx, leadId) == leadId)
        {
            await Claim(tx, seen);
        }
    }

    /// <summary>Codes in addresses of pages and in properties.</summary>
    public static Task Activities(Transaction<RetentionDbContext> tx, IEnumerable<ActivityInfo> activities)
    {
        var seen = new List<SeenCode>();
        foreach (var activity in activities)
        {
            Add(seen, activity.LeadId, ReferralCodes.OfAddress(activity.Url), activity.Time);
            foreach (var (name, value) in activity.Properties)
            {
                if (ReferralCodes.IsName(name) && value.ValueKind == JsonValueKind.String)
                {
                    Add(seen, activity.LeadId, ReferralCodes.Normalize(value.GetString()), activity.Time);
                }
            }
        }

        return Claim(tx, seen);
    }

    /// <summary>
    /// Of a lead, whose profile is locked, the earliest claim that counts becomes its referral, unless it has one. One told by hand of the
    /// same advocate takes the link.
    /// </summary>
    public static async Task Credit(Transaction<RetentionDbContext> tx, Guid leadId)
    {
        // A claim on an own link credits nobody: one's own lead or address, or the account of which one is a contact.
        var claims = (await tx.Connection.QueryAsync<CountingClaim>(
            """
            select k.link_id, l.advocate_lead_id, p.known_time from lead_profile p
            join referral_claim k on k.workspace_id = p.workspace_id and k.lead_id = p.lead_id
            join referral_link l on l.workspace_id = k.workspace_id and l.id = k.link_id and l.create_time <= p.known_time
            left join lead_profile a on a.workspace_id = k.workspace_id and a.lead_id = l.advocate_lead_id
            where p.workspace_id = @workspaceId and p.lead_id = @leadId and not p.erased and p.merged_into is null
              and (l.revoke_time is null or k.time < l.revoke_time) and l.advocate_lead_id <> p.lead_id and (p.email is null or a.email is distinct from p.email)
              and not exists (
                select 1 from customer c join customer_contact o on o.workspace_id = c.workspace_id and o.customer_id = c.id
                where c.workspace_id = p.workspace_id and c.lead_id = l.advocate_lead_id and (o.lead_id = p.lead_id or o.email = p.email))
            order by k.time, k.link_id
            """,
            new { workspaceId = tx.WorkspaceId, leadId })).AsList();
        if (claims.Count == 0)
        {
            return;
        }

        if (await tx.Db.Referrals.FirstOrDefaultAsync(
            row => row.WorkspaceId == tx.WorkspaceId && row.ReferredLeadId == leadId && !row.Declined,
            tx.CancellationToken) is { } referral)
        {
            referral.LinkId ??= claims.Find(claim => claim.AdvocateLeadId == referral.AdvocateLeadId)?.LinkId;
        }
        else
        {
            tx.Db.Referrals.Add(new()
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                AdvocateLeadId = claims[0].AdvocateLeadId,
                ReferredLeadId = leadId,
                LinkId = claims[0].LinkId,
                Converted = await tx.Db.Customers.AnyAsync(
                    row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == leadId, tx.CancellationToken),
                CreateTime = claims[0].KnownTime,
            });
        }

        await tx.Db.SaveChangesAsync(tx.CancellationToken);
    }

    /// <summary>
    /// Two leads became one, whose profile is locked: its earliest referral stays, of others and of oneself nothing is credited any more.
    /// </summary>
    public static async Task Merge(Transaction<RetentionDbContext> tx, Guid sourceId, Guid targetId)
    {
        await tx.Connection.ExecuteAsync(
            """
            update lead_profile t set stage = greatest(t.stage, s.stage), known_time = least(t.known_time, s.known_time), claimed = t.claimed or s.claimed
              from lead_profile s where t.workspace_id = @workspaceId and t.lead_id = @targetId and s.workspace_id = @workspaceId and s.lead_id = @sourceId;
            update referral_link set advocate_lead_id = @targetId where workspace_id = @workspaceId and advocate_lead_id = @sourceId;
            insert into referral_claim (workspace_id, lead_id, link_id, time)
              select workspace_id, @targetId, link_id, time from referral_claim where workspace_id = @workspaceId and lead_id = @sourceId
              on conflict (workspace_id, lead_id, link_id) do update set time = least(referral_claim.time, excluded.time);
            delete from referral_claim where workspace_id = @workspaceId and lead_id = @sourceId;
            update referral set declined = true where workspace_id = @workspaceId and not declined and referred_lead_id = @targetId and advocate_lead_id = @targetId;
            update referral r set declined = true where workspace_id = @workspaceId and not declined and referred_lead_id = @targetId and exists (
              select 1 from referral o where o.workspace_id = r.workspace_id and o.referred_lead_id = @targetId and not o.declined
                and (o.create_time, o.id) < (r.create_time, r.id));
            update referral set converted = true where workspace_id = @workspaceId and not converted and referred_lead_id = @targetId
              and exists (select 1 from customer where workspace_id = @workspaceId and lead_id = @targetId);
            """,
            new { workspaceId = tx.WorkspaceId, sourceId, targetId });
        await Credit(tx, targetId);
    }

    private static void Add(List<SeenCode> seen, Guid leadId, string? code, DateTimeOffset time)
    {
        if (code is not null)
        {
            seen.Add(new(leadId, code, time));
        }
    }

    private static async Task Claim(Transaction<RetentionDbContext> tx, List<SeenCode> seen)
    {
        if (seen.Count == 0)
        {
            return;
        }

        // Leads are locked before anything is written of them, in order of their ids, as everywhere: else two messages on one lead could
        // wait for each other.
        var leads = new SortedDictionary<Guid, List<SeenCode>>();
        foreach (var lead in seen.GroupBy(one => one.LeadId))
        {
            var leadId = await LeadProfiles.Resolve(tx, lead.Key);
            leads[leadId] = [.. leads.GetValueOrDefault(leadId) ?? [], .. lead];
        }

        foreach (var (leadId, codes) in leads)
        {
            await ClaimOne(tx, leadId, [.. codes.GroupBy(one => one.Code, StringComparer.Ordinal)
                .Select(group => (group.Key, group.Min(one => one.Time)))]);
        }
    }

    private static async Task ClaimOne(Transaction<RetentionDbContext> tx, Guid leadId, List<(string Code, DateTimeOffset Time)> codes)
    {
        var texts = codes.ConvertAll(one => one.Code);
        if (!await tx.Db.ReferralLinks.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && texts.Contains(row.Code), tx.CancellationToken))
        {
            return;
        }

        await LeadProfiles.Lock(tx, leadId);
        var added = await tx.Connection.ExecuteAsync(
            """
            insert into referral_claim (workspace_id, lead_id, link_id, time)
            select @workspaceId, @leadId, l.id, s.time from unnest(@codes, @times) s(code, time)
            join referral_link l on l.workspace_id = @workspaceId and l.code = s.code
            on conflict (workspace_id, lead_id, link_id) do update set time = excluded.time where excluded.time < referral_claim.time
            """,
            new
            {
                workspaceId = tx.WorkspaceId,
                leadId,
                codes = texts.ToArray(),
                times = codes.Select(one => one.Time.ToUniversalTime()).ToArray()
            });
        if (added > 0)
        {
            await tx.Connection.ExecuteAsync(
                "update lead_profile set claimed = true where workspace_id = @workspaceId and lead_id = @leadId and not claimed",
                new { workspaceId = tx.WorkspaceId, leadId });
            await Credit(tx, leadId);
        }
    }

    private sealed class CountingClaim
    {
        public Guid LinkId { get; init; }

        public Guid AdvocateLeadId { get; init; }

        public DateTimeOffset KnownTime { get; init; }
    }
}
