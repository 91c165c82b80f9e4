using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
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

    /// <summary>The lead's row, locked; made when there is none.</summary>
    public static async Task<LeadProfileRow> Lock(Transaction<RetentionDbContext> tx, Guid leadId)
    {
        await tx.Connection.ExecuteAsync(
            """
            insert into lead_profile (workspace_id, lead_id, channel, source, medium, campaign, version, erased, advocate)
            values (@workspaceId, @leadId, '', '', '', '', 0, false, false) on conflict do nothing
            """,
            new { workspaceId = tx.WorkspaceId, leadId });
        return await tx.Db.LeadProfiles
            .FromSql($"select * from lead_profile where workspace_id = {tx.WorkspaceId} and lead_id = {leadId} for update")
            .SingleAsync(tx.CancellationToken);
    }

    /// <summary>Keeps a profile unless a newer one, or an erasure, is known; then finds the referral that brought the lead.</summary>
    public static async Task Keep(
        Transaction<RetentionDbContext> tx, Guid leadId, long version, string? email, IReadOnlyDictionary<string, string> traits, CompanyInfo? company, TouchInfo touch)
    {
        var lead = await Lock(tx, leadId);
        if (lead.Erased || lead.Version >= version)
        {
            return;
        }

        var person = string.Join(' ', new[] { traits.GetValueOrDefault("firstName"), traits.GetValueOrDefault("lastName") }.Where(part => !string.IsNullOrWhiteSpace(part)));
        lead.Version = version;
        lead.Email = email;
        lead.Name = company?.Name ?? (person.Length > 0 ? person : null);
        (lead.Channel, lead.Source, lead.Medium, lead.Campaign) = (touch.Channel, touch.Source ?? "", touch.Medium ?? "", touch.Campaign ?? "");
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        var parameters = new { workspaceId = tx.WorkspaceId, leadId, email, name = lead.Name ?? email ?? "" };
        await tx.Connection.ExecuteAsync(
            "update customer set display_name = @name where workspace_id = @workspaceId and lead_id = @leadId and display_name = ''", parameters);
        if (email is not null)
        {
            await tx.Connection.ExecuteAsync(
                """
                update referral r set referred_lead_id = @leadId,
                  converted = exists (select 1 from customer c where c.workspace_id = r.workspace_id and c.lead_id = @leadId)
                where workspace_id = @workspaceId and referred_email = @email and advocate_lead_id <> @leadId
                """,
                parameters);
        }
    }
}
