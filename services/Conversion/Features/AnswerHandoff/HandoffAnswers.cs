using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.AnswerHandoff;

/// <summary>What sales answer, of a hand-off whose lead is locked: by the API or through a CRM.</summary>
internal static class HandoffAnswers
{
    /// <param name="owner">Seller who takes it; empty: who has it already, else the actor.</param>
    public static async Task<Result<Unit>> Accept(
        Transaction<ConversionDbContext> tx, HandoffRow handoff, LeadRow lead, string owner, DateTimeOffset time, string actor)
    {
        if (HandoffMachine.Accept(handoff.State).Error is { } refused)
        {
            return refused;
        }

        handoff.State = HandoffState.Accepted;
        var taker = owner.Length > 0 ? owner : handoff.Owner ?? actor;
        if (taker != handoff.Owner)
        {
            await HandoffDesk.Assign(tx, handoff, taker, null, actor);
        }

        var moved = await StageLedger.Move(tx, lead, new(Stage.Sql, StageReasons.Accepted, time), new(actor));
        if (!moved.TryGet(out var move, out var illegal))
        {
            return illegal;
        }

        (handoff.AcceptTime, handoff.CloseTime) = (move.Time, move.Time);
        return default(Unit);
    }

    public static async Task<Result<Unit>> Return(
        Transaction<ConversionDbContext> tx, HandoffRow handoff, LeadRow lead, string reason, string note, DateTimeOffset time,
            string actor)
    {
        if (HandoffMachine.Return(handoff.State, lead.Stage).Error is { } refused)
        {
            return refused;
        }

        (handoff.State, handoff.ReturnReason) = (HandoffState.Returned, reason);
        handoff.Note = note.Length > 0 && !lead.Erased ? note : null;
        var moved = await StageLedger.Move(tx, lead, new(Stage.Lead, StageReasons.Recycled, time), new(actor, reason));
        if (!moved.TryGet(out var move, out var illegal))
        {
            return illegal;
        }

        handoff.CloseTime = move.Time;
        tx.Publish(new LeadReturned(tx.NewId(), tx.WorkspaceId, move.Time, move.Version, handoff.Id, lead.LeadId, reason));
        return default(Unit);
    }

    public static async Task<Result<Unit>> Disqualify(
        Transaction<ConversionDbContext> tx, HandoffRow handoff, LeadRow lead, string reason, string note, DateTimeOffset time,
            string actor)
    {
        if (HandoffMachine.Disqualify(handoff.State, lead.Stage).Error is { } refused)
        {
            return refused;
        }

        (handoff.State, handoff.ReturnReason) = (HandoffState.Disqualified, reason);
        handoff.Note = note.Length > 0 && !lead.Erased ? note : null;
        var moved = await StageLedger.Move(tx, lead, new(Stage.Disqualified, StageReasons.Disqualified, time), new(actor, reason));
        if (!moved.TryGet(out var move, out var illegal))
        {
            return illegal;
        }

        handoff.CloseTime = move.Time;
        return default(Unit);
    }
}
