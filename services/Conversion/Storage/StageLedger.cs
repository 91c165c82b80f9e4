using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Storage;

/// <summary>Reads and writes where leads stand. Whoever moves a lead, or what belongs to it, locks its row first.</summary>
public static class StageLedger
{
    /// <summary>
    /// Locks the lead, or the one it was merged into, until the end of the transaction. Of a lead not heard of yet a provisional row is
    /// made.
    /// </summary>
    public static async Task<LeadRow> Lock(Transaction<ConversionDbContext> tx, Guid leadId)
    {
        // Most moves are of leads that are known: one statement for them, three for a stranger.
        if (await LockKnown(tx, leadId) is { } known)
        {
            return known;
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into lead (workspace_id, lead_id, stage, highest_stage, version, captured, scoring_version, retention_version, profile_version, erased)
            values (@workspace, @leadId, 'VISITOR', 'VISITOR', 0, false, 0, 0, 0, false) on conflict do nothing
            """,
            new { workspace = tx.WorkspaceId, leadId },
            cancellationToken: tx.CancellationToken));
        return (await LockKnown(tx, leadId))!;
    }

    /// <summary>As <see cref="Lock"/>; null for a lead that this service knows nothing of.</summary>
    public static async Task<LeadRow?> LockKnown(Transaction<ConversionDbContext> tx, Guid leadId)
    {
        while (true)
        {
            // The row of a lead that was merged is left alone: a later merge holds the living lead, and asks for the rows of those before.
            var rows = await tx.Db.Leads
                .FromSql(
                    $"select * from lead where workspace_id = {tx.WorkspaceId} and lead_id = {leadId} and merged_into is null for update")
                .ToListAsync(tx.CancellationToken);
            if (rows is [var lead])
            {
                return lead;
            }

            if (await tx.Connection.ExecuteScalarAsync<Guid?>(new CommandDefinition(
                "select merged_into from lead where workspace_id = @workspace and lead_id = @leadId",
                new { workspace = tx.WorkspaceId, leadId },
                cancellationToken: tx.CancellationToken)) is not { } target)
            {
                return null;
            }

            leadId = target;
        }
    }

    /// <summary>
    /// Locks leads that live on and that Capture has told of, in the order of their ids as everybody does who locks several. Those that
    /// were merged, and strangers, are left out.
    /// </summary>
    public static async Task<Dictionary<Guid, LeadRow>> LockKnown(Transaction<ConversionDbContext> tx, IReadOnlyCollection<Guid> leadIds)
    {
        var ids = leadIds.ToArray();
        var rows = await tx.Db.Leads
            .FromSql(
                $"""
                select * from lead where workspace_id = {tx.WorkspaceId} and lead_id = any({ids}) and merged_into is null and captured
                order by lead_id for update
                """)
            .ToListAsync(tx.CancellationToken);
        return rows.ToDictionary(row => row.LeadId);
    }

    /// <summary>
    /// Moves a locked lead: ledger row, hand-off and LeadStageChanged together. A lead that enters MQL is offered to sales; one that leaves
    /// it by another way than the hand-off closes the open hand-off. Whoever recommended us before is ADVOCATE as soon as CUSTOMER.
    /// </summary>
    /// <returns>The move, or why the rules forbid it; nothing has changed then.</returns>
    public static async Task<Result<Move>> Move(
        Transaction<ConversionDbContext> tx, LeadRow lead, StageRequest request, MoveDetails details) =>
        (await MoveAll(tx, [new(lead, request, details)]))[0];

    /// <summary>As above, of several locked leads, each once: what there is to read is read once, and all is written together.</summary>
    /// <returns>The moves or refusals, in the same order.</returns>
    public static async Task<IReadOnlyList<Result<Move>>> MoveAll(Transaction<ConversionDbContext> tx, IReadOnlyList<LeadMove> asked)
    {
        var decided = asked.Select(one => StageMachine.Decide(one.Lead.Position, one.Request)).ToArray();
        var queue = await ReadQueue(tx, asked, decided);
        foreach (var ((lead, _, details), result) in asked.Zip(decided))
        {
            if (result.TryGet(out var move, out _))
            {
                var reopened = move.From == Stage.Lead && lead.HighestStage > Stage.Lead;
                Keep(tx, lead, move, details);
                await FollowWithHandoff(tx, lead, move, details, reopened, queue);
            }
        }

        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        foreach (var ((lead, _, _), result) in asked.Zip(decided))
        {
            if (result is { Succeeded: true, Value.To: Stage.Customer } && lead.AdvocateTime is { } advocated)
            {
                await Move(tx, lead, new(Stage.Advocate, StageReasons.Advocated, advocated), new("service:retention"));
            }
        }

        return decided;
    }

    /// <summary>The stages a lead entered, oldest first.</summary>
    public static async Task<IReadOnlyList<Stage>> History(Transaction<ConversionDbContext> tx, Guid leadId) =>
        await tx.Db.StageChanges.Where(change => change.LeadId == leadId).OrderBy(change => change.Version)
            .Select(change => change.ToStage).ToListAsync(tx.CancellationToken);

    private static void Keep(Transaction<ConversionDbContext> tx, LeadRow lead, Move move, MoveDetails details)
    {
        (lead.Stage, lead.HighestStage, lead.Version, lead.EnterTime) = (move.To, move.Highest, move.Version, move.Time);
        tx.Db.StageChanges.Add(new StageChangeRow
        {
            WorkspaceId = tx.WorkspaceId,
            LeadId = lead.LeadId,
            Version = move.Version,
            FromStage = move.From,
            ToStage = move.To,
            Reason = move.Reason,
            Actor = details.Actor,
            Time = move.Time,
            Score = lead.Score,
            Note = lead.Erased ? null : details.Note,
        });
        tx.Publish(new LeadStageChanged(
            tx.NewId(), tx.WorkspaceId, move.Time, move.Version, lead.LeadId, move.From.Name(), move.To.Name(), move.Reason, details.Actor,
            lead.Score,
            lead.FirstTouch));
    }

    /// <summary>
    /// The open hand-offs of the leads that enter or leave MQL: only such have one, and other moves need not look for it. The desk that
    /// offers to sales, where one of them may have to be offered.
    /// </summary>
    private static async Task<HandoffQueue> ReadQueue(
        Transaction<ConversionDbContext> tx, IReadOnlyList<LeadMove> asked, IReadOnlyList<Result<Move>> decided)
    {
        var moves = asked.Zip(decided)
            .Where(pair => pair.Second is { Succeeded: true, Value: { From: Stage.Mql } or { To: Stage.Mql } }).ToArray();
        if (moves.Length == 0)
        {
            return HandoffQueue.Empty;
        }

        var ids = moves.Select(pair => pair.First.Lead.LeadId).ToArray();
        var open = await tx.Db.Handoffs.Where(handoff => ids.Contains(handoff.LeadId) && handoff.State == HandoffState.Open)
            .ToListAsync(tx.CancellationToken);
        // What this transaction has closed and not yet saved is read as open.
        return new(
            open.Where(handoff => handoff.State == HandoffState.Open).ToDictionary(handoff => handoff.LeadId),
            await Desk(moves.Count(pair => pair.Second.Value.To == Stage.Mql)));

        async Task<HandoffDesk?> Desk(int offers) => offers == 0 ? null : await HandoffDesk.Open(tx, offers > 1);
    }

    private static async Task FollowWithHandoff(
        Transaction<ConversionDbContext> tx, LeadRow lead, Move move, MoveDetails details, bool reopened, HandoffQueue queue)
    {
        var open = queue.Open.GetValueOrDefault(lead.LeadId);
        if (move.To == Stage.Mql)
        {
            if (open is null)
            {
                await queue.Desk!.Offer(tx, lead, move.Time, details.Reasons ?? [], reopened);
            }
        }
        else if (open is not null && HandoffMachine.AfterMove(move) is { } state)
        {
            (open.State, open.CloseTime) = (state, move.Time);
            open.AcceptTime = state == HandoffState.Accepted ? move.Time : open.AcceptTime;
        }
    }

    private sealed record HandoffQueue(IReadOnlyDictionary<Guid, HandoffRow> Open, HandoffDesk? Desk)
    {
        public static HandoffQueue Empty { get; } = new(new Dictionary<Guid, HandoffRow>(), null);
    }
}

/// <summary>A move asked of a locked lead.</summary>
public sealed record LeadMove(LeadRow Lead, StageRequest Request, MoveDetails Details);

/// <summary>What a move carries beside the decision.</summary>
/// <param name="Actor"><c>key:NAME</c> or <c>service:NAME</c>.</param>
/// <param name="Note">Words for the history.</param>
/// <param name="Reasons">Why a lead that enters MQL deserves attention.</param>
public sealed record MoveDetails(string Actor, string? Note = null, IReadOnlyList<ReasonInfo>? Reasons = null);
