using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Storage;

/// <summary>Writes deals, with what follows for their leads, as one change.</summary>
public static class OpportunityBook
{
    /// <summary>Locks a deal and its lead, the lead first as everywhere; null where there is no such deal.</summary>
    public static async Task<LockedOpportunity?> Lock(Transaction<ConversionDbContext> tx, Guid id)
    {
        var leadId = await tx.Connection.ExecuteScalarAsync<Guid?>(new CommandDefinition(
            "select lead_id from opportunity where workspace_id = @workspace and id = @id",
            new { workspace = tx.WorkspaceId, id },
            cancellationToken: tx.CancellationToken));
        var lead = leadId is { } known ? await StageLedger.LockKnown(tx, known) : null;
        var rows = await tx.Db.Opportunities.FromSql(
            $"select * from opportunity where workspace_id = {tx.WorkspaceId} and id = {id} for update")
            .ToListAsync(tx.CancellationToken);
        return rows is [var row] ? new(row, lead) : null;
    }

    /// <summary>Opens a deal. Its lead moves to OPPORTUNITY unless it is further already.</summary>
    public static async Task Open(Transaction<ConversionDbContext> tx, OpportunityRow row, LeadRow? lead, string actor)
    {
        row.StageTime = row.CreateTime;
        row.Stamp(["name", "amount", "owner", "product", "account", "expectedCloseDate", "createTime", "stage"], tx.Now);
        tx.Db.Opportunities.Add(row);
        OpportunityHistory.Keep(tx, row, OpportunityChangeKind.Opened, "", row.CreateTime, actor);
        Announce(tx, row, row.CreateTime, null);
        await MoveToOpportunity(tx, row, lead, actor);
    }

    /// <summary>Takes a lost deal up again, as a new one that answers to its external id from now on.</summary>
    public static async Task Reopen(
        Transaction<ConversionDbContext> tx, OpportunityRow lost, OpportunityRow again, LeadRow? lead, string reason, string actor)
    {
        lost.ReopenedAs = again.Id;
        // Saved by itself: the external id passes from one row to the other.
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        again.StageTime = again.CreateTime;
        again.Stamp(["stage"], tx.Now);
        tx.Db.Opportunities.Add(again);
        OpportunityHistory.Keep(tx, again, OpportunityChangeKind.Reopened, "", again.CreateTime, actor, lead is { Erased: true } ? null
            : reason);
        Announce(tx, again, again.CreateTime, reason);
        await MoveToOpportunity(tx, again, lead, actor);
    }

    /// <summary>Moves an open deal to another stage.</summary>
    /// <param name="changed">When a CRM did; null: it is done here and now, whenever it happened.</param>
    public static void Advance(
        Transaction<ConversionDbContext> tx, OpportunityRow row, string stage, DateTimeOffset time, string actor,
            DateTimeOffset? changed = null)
    {
        var from = row.Stage;
        // A deal's times never run backward, as a lead's do not.
        time = time < row.StageTime ? row.StageTime : time;
        row.Stage = stage;
        row.Version++;
        row.Stamp(["stage"], changed ?? tx.Now);
        OpportunityHistory.Keep(tx, row, OpportunityChangeKind.Advanced, from, time, actor);
        row.StageTime = time;
        Announce(tx, row, time, null);
    }

    /// <summary>Ties an open deal to a lead that stands before OPPORTUNITY.</summary>
    public static async Task MoveToOpportunity(Transaction<ConversionDbContext> tx, OpportunityRow row, LeadRow? lead, string actor)
    {
        // A customer's next deal, or a churned one's, leaves the stage as it is: the ledger refuses, and that is right.
        if (lead is not null)
        {
            await StageLedger.Move(tx, lead, new(Stage.Opportunity, StageReasons.OpportunityOpened, row.CreateTime), new(actor));
        }
    }

    /// <summary>Wins an open deal: CUSTOMER, bookings, and a journey to freeze.</summary>
    public static async Task Win(
        Transaction<ConversionDbContext> tx, OpportunityRow row, LeadRow? lead, decimal amount, DateTimeOffset closeTime, string actor,
        bool isStageKnown = true)
    {
        (row.State, row.Amount, row.CloseTime) = (OpportunityState.Won, amount, closeTime);
        row.Version++;
        OpportunityHistory.Keep(tx, row, OpportunityChangeKind.Won, row.Stage, closeTime, actor, isStageKnown: isStageKnown);
        Announce(tx, row, closeTime, null);
        tx.Publish(new RevenueBooked(
            tx.NewId(), tx.WorkspaceId, closeTime, row.Version, row.Id, lead?.LeadId, new MoneyInfo(row.CurrencyCode, amount), row.Account,
            row.Product,
            closeTime));
        await RevenueExport.Tell(tx, row, lead);
        if (lead is not null)
        {
            AwaitJourney(tx, row, lead);
            await StageLedger.Move(tx, lead, new(Stage.Customer, StageReasons.Won, closeTime), new(actor));
        }
    }

    /// <summary>Loses an open deal; the last one of a lead at OPPORTUNITY takes the lead back.</summary>
    public static async Task Lose(
        Transaction<ConversionDbContext> tx, OpportunityRow row, LeadRow? lead, string reason, DateTimeOffset closeTime, string actor,
        string? competitor = null, bool isStageKnown = true)
    {
        (row.State, row.LoseReason, row.CloseTime) = (OpportunityState.Lost, lead is { Erased: true } ? null : reason, closeTime);
        row.Competitor = competitor;
        row.Version++;
        OpportunityHistory.Keep(tx, row, OpportunityChangeKind.Lost, row.Stage, closeTime, actor, row.LoseReason, isStageKnown);
        Announce(tx, row, closeTime, reason);
        if (lead is not null)
        {
            AwaitJourney(tx, row, lead);
            await FallBack(tx, row, lead, closeTime, new(actor, reason));
        }
    }

    /// <summary>Removes an open deal.</summary>
    public static async Task Delete(Transaction<ConversionDbContext> tx, OpportunityRow row, LeadRow? lead, string actor)
    {
        tx.Db.Opportunities.Remove(row);
        if (lead is not null)
        {
            await FallBack(tx, row, lead, tx.Now, new(actor, "The opportunity was deleted."));
        }
    }

    /// <summary>Publishes the state of a deal after a change.</summary>
    public static void Announce(Transaction<ConversionDbContext> tx, OpportunityRow row, DateTimeOffset time, string? reason) =>
        tx.Publish(new OpportunityChanged(
            tx.NewId(), tx.WorkspaceId, time, row.Version, row.Id, row.LeadId, row.Name, new MoneyInfo(row.CurrencyCode, row.Amount),
            row.PipelineId.ToString(), row.Stage, row.State.Name(), reason));

    /// <summary>Whether a deal has the external id. A twin that is about to use the same id waits here.</summary>
    public static async Task<bool> HasExternalId(Transaction<ConversionDbContext> tx, string externalId)
    {
        await LockExternalIds(tx, [externalId]);
        return await tx.Db.Opportunities.AnyAsync(row => row.ExternalId == externalId && row.ReopenedAs == null, tx.CancellationToken);
    }

    /// <summary>Writers of the same external ids take turns from here to the end of the transaction. Sorted, so that two never wait for
    /// each other.</summary>
    public static Task LockExternalIds(Transaction<ConversionDbContext> tx, string[] sortedIds) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            "select pg_advisory_xact_lock(hashtextextended(@workspace::text || id, 0)) from unnest(@sortedIds) with ordinality as t(id, n) order by n",
            new { workspace = tx.WorkspaceId, sortedIds },
            cancellationToken: tx.CancellationToken));

    /// <summary>The workspace's default pipeline; made when first asked for.</summary>
    public static async Task<PipelineRow> DefaultPipeline(Transaction<ConversionDbContext> tx)
    {
        if (await Default() is { } known)
        {
            return known;
        }

        // A twin that races waits here and inserts nothing.
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into pipeline (workspace_id, id, display_name, stages, is_default, create_time)
            values (@workspace, @id, 'Sales', @stages::jsonb, true, @now) on conflict do nothing
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = tx.NewId(),
                stages = JsonSerializer.Serialize(Pipelines.Default, JsonSerializerOptions.Web),
                now = tx.Now
            },
            cancellationToken: tx.CancellationToken));
        return (await Default())!;

        Task<PipelineRow?> Default() => tx.Db.Pipelines.SingleOrDefaultAsync(pipeline => pipeline.IsDefault, tx.CancellationToken);
    }

    /// <summary>The steps of a pipeline.</summary>
    public static IReadOnlyList<PipelineStep> Steps(this PipelineRow pipeline) =>
        JsonSerializer.Deserialize<PipelineStep[]>(pipeline.Stages, JsonSerializerOptions.Web)!;

    private static void AwaitJourney(Transaction<ConversionDbContext> tx, OpportunityRow row, LeadRow lead) =>
        tx.Db.Journeys.Add(new JourneyRow { WorkspaceId = tx.WorkspaceId, OpportunityId = row.Id, LeadId = lead.LeadId, DueTime = tx.Now });

    private static async Task FallBack(
        Transaction<ConversionDbContext> tx, OpportunityRow row, LeadRow lead, DateTimeOffset time, MoveDetails details)
    {
        var hasOther = await tx.Db.Opportunities.AnyAsync(
            other => other.LeadId == lead.LeadId && other.Id != row.Id && other.State == OpportunityState.Open, tx.CancellationToken);
        if (!hasOther && lead.Stage == Stage.Opportunity)
        {
            var to = StageMachine.AfterLoss(await StageLedger.History(tx, lead.LeadId));
            await StageLedger.Move(tx, lead, new(to, StageReasons.Lost, time), details);
        }
    }
}

/// <summary>A deal and its lead, both locked.</summary>
public sealed record LockedOpportunity(OpportunityRow Row, LeadRow? Lead);
