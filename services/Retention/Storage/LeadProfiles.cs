using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Features.TrackReferrals;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Storage;

/// <summary>What Retention knows of leads: the newest profile by version, merges, erasures.</summary>
public static class LeadProfiles
{
    /// <summary>Follows merges to the lead that lives on.</summary>
    public static async Task<Guid> Resolve(Transaction<RetentionDbContext> tx, Guid leadId)
    {
        const int Longest = 32;
        for (var step = 0; step < Longest && (await Find(tx, leadId))?.MergedInto is { } target; step++)
        {
            leadId = target;
        }

        return leadId;
    }

    public static Task<LeadProfileRow?> Find(Transaction<RetentionDbContext> tx, Guid leadId) => tx.Db.LeadProfiles
        .SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == leadId, tx.CancellationToken);

    /// <summary>Leads by id or address, in one statement; merges are followed to the lead that lives on.</summary>
    internal static async Task<FoundLeads> ByIdOrEmail(Transaction<RetentionDbContext> tx, Guid[] ids, string[] emails)
    {
        if (ids.Length == 0 && emails.Length == 0)
        {
            return new([]);
        }

        return new((await tx.Connection.QueryAsync<FoundLead>(new CommandDefinition(
            """
            with recursive found(lead_id, email, target, step) as (
              select lead_id, email, coalesce(merged_into, lead_id), 0 from lead_profile
              where workspace_id = @workspace and (lead_id = any(@ids) or email = any(@emails))
              union all
              select f.lead_id, f.email, l.merged_into, f.step + 1 from found f
              join lead_profile l on l.workspace_id = @workspace and l.lead_id = f.target and l.merged_into is not null where f.step < 32)
            select distinct on (lead_id) lead_id, email, target from found order by lead_id, step desc
            """,
            new { workspace = tx.WorkspaceId, ids, emails }, cancellationToken: tx.CancellationToken))).AsList());
    }

    /// <summary>
    /// The leads that those live on as, without the erased. They are locked against merges and erasures until the end of the transaction:
    /// what is written of them is found by whoever merges or erases them next.
    /// </summary>
    internal static async Task<IReadOnlyDictionary<Guid, Guid>> Living(Transaction<RetentionDbContext> tx, Guid[] leadIds)
    {
        const int Longest = 32;
        var known = new Dictionary<Guid, FoundLead>();
        var asked = leadIds;
        for (var step = 0; step < Longest && asked.Length > 0; step++)
        {
            var rows = await tx.Connection.QueryAsync<FoundLead>(new CommandDefinition(
                """
                insert into lead_profile (workspace_id, lead_id, channel, source, medium, campaign, version, erased, advocate)
                select @workspace, id, '', '', '', '', 0, false, false from unnest(@ids) id order by id on conflict do nothing;
                select lead_id, coalesce(merged_into, lead_id) as target, erased from lead_profile
                where workspace_id = @workspace and lead_id = any(@ids) order by lead_id for share
                """,
                new { workspace = tx.WorkspaceId, ids = asked }, cancellationToken: tx.CancellationToken));
            foreach (var row in rows)
            {
                known[row.LeadId] = row;
            }

            asked = [.. known.Values.Select(row => row.Target).Where(target => !known.ContainsKey(target)).Distinct()];
        }

        FoundLead? Last(Guid id)
        {
            for (var step = 0; step < Longest && known.TryGetValue(id, out var row); step++)
            {
                if (row.Target == id)
                {
                    return row.Erased ? null : row;
                }

                id = row.Target;
            }

            return null;
        }

        return leadIds.Select(id => (Id: id, Last: Last(id))).Where(pair => pair.Last is not null)
            .ToDictionary(pair => pair.Id, pair => pair.Last!.LeadId);
    }

    /// <summary>The lead's row, locked; made when there is none.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="leadId">The lead.</param>
    /// <param name="email">
    /// Address that the lead is about to have, shared with other profiles: whoever tells of a referral of the address holds it alone, so
    /// that either sees the other. Addresses are locked before leads.
    /// </param>
    public static async Task<LeadProfileRow> Lock(Transaction<RetentionDbContext> tx, Guid leadId, string? email = null)
    {
        await tx.Connection.ExecuteAsync(
            $"""
            {(email is null ? "" : "select pg_advisory_xact_lock_shared(hashtextextended('referral ' || @workspaceId || ' ' || @email, 0));")}
            insert into lead_profile (workspace_id, lead_id, channel, source, medium, campaign, version, erased, advocate)
            values (@workspaceId, @leadId, '', '', '', '', 0, false, false) on conflict do nothing
            """,
            new { workspaceId = tx.WorkspaceId, leadId, email });
        return await tx.Db.LeadProfiles
            .FromSql($"select * from lead_profile where workspace_id = {tx.WorkspaceId} and lead_id = {leadId} for update")
            .SingleAsync(tx.CancellationToken);
    }

    /// <summary>Keeps the furthest stage that the lead reached.</summary>
    public static async Task Reach(Transaction<RetentionDbContext> tx, Guid leadId, Kernel.Stage stage)
    {
        leadId = await Resolve(tx, leadId);
        await tx.Connection.ExecuteAsync(
            """
            insert into lead_profile (workspace_id, lead_id, channel, source, medium, campaign, version, erased, advocate, stage)
            values (@workspaceId, @leadId, '', '', '', '', 0, false, false, @stage)
            on conflict (workspace_id, lead_id) do update set stage = greatest(lead_profile.stage, excluded.stage)
            """,
            new { workspaceId = tx.WorkspaceId, leadId, stage = (int)stage });
    }

    /// <summary>Keeps a profile unless a newer one, or an erasure, is known; then finds the referral that brought the lead.</summary>
    public static async Task Keep(
        Transaction<RetentionDbContext> tx, Guid leadId, long version, DateTimeOffset knownTime, string? email,
        IReadOnlyDictionary<string, string> traits, CompanyInfo? company, TouchInfo touch)
    {
        var lead = await Lock(tx, leadId, email);
        if (lead.Erased || lead.Version >= version)
        {
            return;
        }

        var person = string.Join(' ', new[] { traits.GetValueOrDefault("firstName"), traits.GetValueOrDefault("lastName") }.Where(
            part => !string.IsNullOrWhiteSpace(part)));
        (lead.Version, lead.KnownTime) = (version, knownTime);
        lead.Email = email;
        lead.Name = company?.Name ?? (person.Length > 0 ? person : null);
        (lead.Channel, lead.Source, lead.Medium, lead.Campaign) = (
            touch.Channel, touch.Source ?? "", touch.Medium ?? "", touch.Campaign ?? "");
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        var parameters = new { workspaceId = tx.WorkspaceId, leadId, email, name = lead.Name ?? email ?? "" };
        await tx.Connection.ExecuteAsync(
            "update customer set display_name = @name where workspace_id = @workspaceId and lead_id = @leadId and display_name = ''",
            parameters);
        if (email is not null && lead.MergedInto is null)
        {
            // Who was sent before by somebody else stays theirs.
            await tx.Connection.ExecuteAsync(
                """
                update referral r set referred_lead_id = @leadId,
                  converted = exists (select 1 from customer c where c.workspace_id = r.workspace_id and c.lead_id = @leadId),
                  declined = exists (select 1 from referral o where o.workspace_id = r.workspace_id and o.referred_lead_id = @leadId and not o.declined)
                where workspace_id = @workspaceId and referred_email = @email and advocate_lead_id <> @leadId and referred_lead_id is distinct from @leadId
                """,
                parameters);
        }

        if (lead.Claimed)
        {
            // Codes that were seen before the profile came.
            await ReferralCredits.Credit(tx, leadId);
        }
    }
}

/// <summary>Leads looked up together.</summary>
internal sealed class FoundLeads(IReadOnlyCollection<FoundLead> rows)
{
    private readonly Dictionary<Guid, Guid> byId = rows.ToDictionary(row => row.LeadId, row => row.Target);
    private readonly Dictionary<string, Guid> byEmail =
        rows.Where(row => row.Email is not null).GroupBy(row => row.Email!, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First().Target, StringComparer.Ordinal);

    /// <summary>The lead itself where nothing is known of it: its profile may come later.</summary>
    public Guid ById(Guid id) => byId.GetValueOrDefault(id, id);

    public Guid? ByEmail(string email) => byEmail.TryGetValue(email, out var id) ? id : null;
}

/// <summary>A lead and the one it lives on as.</summary>
internal sealed class FoundLead
{
    public Guid LeadId { get; init; }

    public string? Email { get; init; }

    public Guid Target { get; init; }

    public bool Erased { get; init; }
}
