using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Storage;

/// <summary>Two leads become one, or a person is forgotten.</summary>
public static class LeadIdentity
{
    /// <summary>
    /// The source lives on as the target: deals, hand-offs and journeys move there, and the target stands where the further of the two
    /// stood. The source's history stays as it was; reports count the two as one person.
    /// </summary>
    public static async Task Merge(Transaction<ConversionDbContext> tx, LeadsMerged e)
    {
        // Always in the same order, so that two merges never wait for each other.
        foreach (var id in new[] { e.SourceLeadId, e.TargetLeadId }.Order())
        {
            await StageLedger.Lock(tx, id);
        }

        var target = await StageLedger.Lock(tx, e.TargetLeadId);
        var source = await tx.Db.Leads.FindAsync([tx.WorkspaceId, e.SourceLeadId], tx.CancellationToken);
        if (source is null || source.MergedInto is not null || source.LeadId == target.LeadId)
        {
            return;
        }

        source.MergedInto = target.LeadId;
        foreach (var earlier in await tx.Db.Leads.Where(lead => lead.MergedInto == source.LeadId).ToListAsync(tx.CancellationToken))
        {
            earlier.MergedInto = target.LeadId;
        }

        await MoveBelongings(tx, source, target);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        await Join(tx, source, target, e.OccurredAt);
    }

    /// <summary>Removes what names the person; stages, times, channels and amounts stay, so that counts do.</summary>
    /// <returns>Records changed, by kind.</returns>
    public static async Task<IReadOnlyDictionary<string, long>> Erase(Transaction<ConversionDbContext> tx, Guid leadId)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lead = await StageLedger.Lock(tx, leadId);
        var ids = await tx.Db.Leads.Where(row => row.MergedInto == lead.LeadId).Select(row => row.LeadId).ToListAsync(tx.CancellationToken);
        ids.Add(lead.LeadId);
        counts["leads"] = await tx.Db.Leads.Where(row => ids.Contains(row.LeadId)).ExecuteUpdateAsync(
            row => row.SetProperty(one => one.Erased, true).SetProperty(one => one.Email, (string?)null)
                .SetProperty(one => one.ExternalId, (string?)null)
                .SetProperty(one => one.LandingPage, (string?)null).SetProperty(one => one.ClickId, (string?)null)
                .SetProperty(one => one.SessionId, (Guid?)null).SetProperty(one => one.Traits, "{}")
                    .SetProperty(one => one.Company, (string?)null),
            tx.CancellationToken);
        counts["stageNotes"] = await tx.Db.StageChanges.Where(row => ids.Contains(row.LeadId) && row.Note != null)
            .ExecuteUpdateAsync(row => row.SetProperty(one => one.Note, (string?)null), tx.CancellationToken);
        counts["handoffs"] = await tx.Db.Handoffs.Where(row => ids.Contains(row.LeadId)).ExecuteUpdateAsync(
            row => row.SetProperty(one => one.Note, (string?)null).SetProperty(one => one.Reasons, "[]"), tx.CancellationToken);
        counts["opportunities"] = await tx.Db.Opportunities.Where(row => row.LeadId != null && ids.Contains(row.LeadId.Value))
            .ExecuteUpdateAsync(
            row => row.SetProperty(one => one.Name, "Erased").SetProperty(one => one.Account, (string?)null)
                .SetProperty(one => one.LoseReason, (string?)null),
            tx.CancellationToken);
        counts["opportunityReasons"] = await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update opportunity_change c set reason = null from opportunity o
            where c.workspace_id = @workspace and o.workspace_id = @workspace and o.id = c.opportunity_id and o.lead_id = any(@ids) and c.reason is not null
            """,
            new { workspace = tx.WorkspaceId, ids = ids.ToArray() },
            cancellationToken: tx.CancellationToken));
        var contacted = await OpportunityHistory.WithContact(tx, ids);
        foreach (var deal in contacted)
        {
            deal.Contacts = OpportunityHistory.Write([.. deal.ReadContacts().Where(contact => !ids.Contains(contact.LeadId))]);
        }

        counts["contacts"] = contacted.Count;
        counts["journeys"] = await JourneyErasure.StripPages(tx, ids);
        counts["deliveries"] = await WebhookDeliveries.Erase(tx, ids);
        counts["heldEvents"] = await tx.Db.HeldEvents.Where(row => ids.Contains(row.LeadId)).ExecuteDeleteAsync(tx.CancellationToken);
        return counts;
    }

    private static async Task MoveBelongings(Transaction<ConversionDbContext> tx, LeadRow source, LeadRow target)
    {
        var handoffs = await tx.Db.Handoffs.Where(row => row.LeadId == source.LeadId || row.LeadId == target.LeadId)
            .ToListAsync(tx.CancellationToken);
        var targetIsOffered = handoffs.Any(row => row.LeadId == target.LeadId && row.State == HandoffState.Open);
        foreach (var handoff in handoffs.Where(row => row.LeadId == source.LeadId))
        {
            // Sales hold the target already, or are asked about it: the source's offer says nothing more.
            if (handoff.State == HandoffState.Open && (targetIsOffered || target.Stage > Stage.Mql))
            {
                (handoff.State, handoff.CloseTime) = (HandoffState.Expired, tx.Now);
            }

            handoff.LeadId = target.LeadId;
        }

        foreach (var opportunity in await tx.Db.Opportunities.Where(row => row.LeadId == source.LeadId).ToListAsync(tx.CancellationToken))
        {
            opportunity.LeadId = target.LeadId;
        }

        foreach (var deal in await OpportunityHistory.WithContact(tx, [source.LeadId]))
        {
            deal.Contacts = OpportunityHistory.Write([.. deal.ReadContacts()
                .Select(contact => contact.LeadId == source.LeadId ? contact with { LeadId = target.LeadId } : contact)
                    .DistinctBy(contact => contact.LeadId)]);
        }

        foreach (var journey in await tx.Db.Journeys.Where(row => row.LeadId == source.LeadId).ToListAsync(tx.CancellationToken))
        {
            journey.LeadId = target.LeadId;
        }

        foreach (var held in await tx.Db.HeldEvents.Where(row => row.LeadId == source.LeadId).ToListAsync(tx.CancellationToken))
        {
            held.LeadId = target.LeadId;
        }
    }

    private static async Task Join(Transaction<ConversionDbContext> tx, LeadRow source, LeadRow target, DateTimeOffset time)
    {
        target.AdvocateTime ??= source.AdvocateTime;
        target.ChurnTime ??= source.ChurnTime;
        target.Score ??= source.Score;
        if (source.Captured && !target.Captured)
        {
            // The target's own profile follows with a higher version.
            await LeadFacts.Capture(tx, target, new LeadProfile(
                0, source.Email, source.ExternalId, source.CaptureType ?? "IDENTIFY", source.FormType, source.CreateTime ?? time,
                source.FirstTouch, source.ReadTraits(), source.ReadCompany()));
        }

        if (target.Captured)
        {
            var wasCustomer = target.Stage >= Stage.Customer;
            var reached = source.Stage is Stage.Churned ? Stage.Customer : source.Stage;
            if (StageMachine.IsFunnel(reached) && reached > target.Stage)
            {
                await StageLedger.Move(tx, target, new(reached, StageReasons.Merged, time), new("service:capture"));
            }

            if (source.Stage is Stage.Churned && !wasCustomer)
            {
                await StageLedger.Move(
                    tx, target, new(Stage.Churned, StageReasons.Churned, source.EnterTime ?? time), new("service:capture"));
            }

            await LeadFacts.ApplyHeld(tx, target);
        }
    }
}
