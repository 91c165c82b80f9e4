using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.MoveLeadStage;

/// <summary>
/// Moves a lead by hand, by the same rules as everyone else. Moves of a workspace that are asked for at the same time go into one
/// transaction.
/// </summary>
public sealed class MoveLeadStage(UnitOfWork<ConversionDbContext> work, EnsureLead.EnsureLead leads, TimeProvider time)
{
    private const int MaxTogether = 100;

    // While one commits, the next is read and decided on.
    private const int Concurrent = 2;

    private readonly RequestGatherer<ConversionDbContext, AskedMove, LeadStage> gatherer = new(work, MaxTogether, Concurrent);

    public async Task<Result<LeadStage>> Handle(MoveLeadStageRequest request, Caller caller, string method, CancellationToken ct)
    {
        if (!AskedMove.Parse(request, caller, time.GetUtcNow()).TryGet(out var asked, out var error))
        {
            return error;
        }

        // Nearly every lead is known: Capture is asked only where the move meets a stranger.
        var isKnown = true;
        Task<Result<LeadStage>> Move() => gatherer.Run(
            caller.WorkspaceId, method, request.RequestId, request, asked, MoveTogether.Run, async tx =>
            {
                var lead = await StageLedger.LockKnown(tx, asked.LeadId);
                isKnown = lead is not null && (lead.Captured || lead.LeadId != asked.LeadId);
                return isKnown
                    ? (await MoveTogether.Run(tx, [asked], new() { [asked.LeadId] = lead! }))[0]!.Value
                    : Error.NotFound("Lead", asked.LeadId);
            }, ct);

        var answer = await Move();
        if (isKnown)
        {
            return answer;
        }

        return (await leads.Handle(caller.WorkspaceId, asked.LeadId, ct)).Error is { } unknown ? unknown : await Move();
    }
}

/// <summary>A move by hand, checked.</summary>
internal sealed record AskedMove(Guid LeadId, Stage To, string Reason, DateTimeOffset? Time, MoveDetails Details)
{
    /// <summary>INVALID_ARGUMENT names every fault.</summary>
    public static Result<AskedMove> Parse(MoveLeadStageRequest request, Caller caller, DateTimeOffset now)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var leadId);
        var to = request.To.ToKernel();
        violations.Require(to is not null and not Stage.Visitor, "to", $"to must be one of {string.Join(", ", Targets)}.");
        violations.Require(
            request.Reason.Length == 0 || StageReasons.All.Contains(request.Reason), "reason",
            $"reason must be one of {string.Join(", ", StageReasons.All)}.");
        violations.Require(request.Note.Length <= 1000, "note", $"note has {request.Note.Length} characters; at most 1000 are accepted.");
        BackfillTime.Check(request.MoveTime.ToTime(), "moveTime", now, violations);
        return violations.ToError() is { } error
            ? error
            : new AskedMove(
                leadId, to!.Value, request.Reason, request.MoveTime.ToTime(),
                new(caller.Actor, request.Note.Length == 0 ? null : request.Note));
    }

    /// <summary>The move of a locked lead; an error where it needs a reason and has none.</summary>
    public Result<LeadMove> Of(LeadRow lead, DateTimeOffset now) =>
        (Reason.Length > 0 ? Reason : StageMachine.DefaultReason(lead.Stage, To)) is { } reason
            ? new LeadMove(lead, new(To, reason, Time ?? now), Details)
            : Error.Invalid(
                "reason",
                $"From {lead.Stage.Name()} back to {To.Name()} needs one of the reasons RECYCLED, SCORE_DECAYED, LOST, REOPENED.");

    private static IEnumerable<string> Targets =>
        Enum.GetValues<Stage>().Where(stage => stage != Stage.Visitor).Select(stage => stage.Name());
}

/// <summary>
/// Moves that were asked for at the same time: their leads are locked at once, in the order of their ids, and all is written together. Each
/// is answered as it would be alone.
/// </summary>
internal static class MoveTogether
{
    public static async Task<IReadOnlyList<Result<LeadStage>?>> Run(Transaction<ConversionDbContext> tx, IReadOnlyList<AskedMove> asked) =>
        await Run(tx, asked, await StageLedger.LockKnown(tx, asked.Select(one => one.LeadId).Distinct().ToArray()));

    /// <param name="tx">The transaction.</param>
    /// <param name="asked">The moves.</param>
    /// <param name="leads">Locked leads by the ids they were asked for with.</param>
    /// <returns>
    /// By move; null for one that has to run alone: of a lead that is not among them, or that moves already, so that its answer tells the
    /// moves up to it and no other.
    /// </returns>
    public static async Task<IReadOnlyList<Result<LeadStage>?>> Run(
        Transaction<ConversionDbContext> tx, IReadOnlyList<AskedMove> asked, Dictionary<Guid, LeadRow> leads)
    {
        var answers = new Result<LeadStage>?[asked.Count];
        var (places, moves) = (new List<int>(asked.Count), new List<LeadMove>(asked.Count));
        foreach (var (index, one) in asked.Index())
        {
            if (!leads.Remove(one.LeadId, out var lead))
            {
                continue;
            }

            if (one.Of(lead, tx.Now).TryGet(out var move, out var lacking))
            {
                places.Add(index);
                moves.Add(move);
            }
            else
            {
                answers[index] = lacking;
            }
        }

        var moved = await StageLedger.MoveAll(tx, moves);
        var stages = await StageMessages.Read(tx, moves.Where((_, index) => moved[index].Succeeded).Select(move => move.Lead).ToArray());
        foreach (var (index, place) in places.Index())
        {
            answers[place] = moved[index].Error is { } refused ? refused : stages[moves[index].Lead.LeadId];
        }

        return answers;
    }
}

/// <summary>Where leads stand, as messages.</summary>
public static class StageMessages
{
    public static async Task<LeadStage> Read(Transaction<ConversionDbContext> tx, LeadRow lead) => (await Read(tx, [lead]))[lead.LeadId];

    /// <summary>Several, by their ids.</summary>
    public static async Task<Dictionary<Guid, LeadStage>> Read(Transaction<ConversionDbContext> tx, IReadOnlyCollection<LeadRow> leads)
    {
        var ids = leads.Select(lead => lead.LeadId).ToArray();
        var history = await tx.Db.StageChanges.AsNoTracking().Where(change => ids.Contains(change.LeadId))
            .OrderBy(change => change.LeadId).ThenBy(change => change.Version).ToListAsync(tx.CancellationToken);
        var changes = history.ToLookup(change => change.LeadId);
        return leads.ToDictionary(lead => lead.LeadId, lead => ToProto(lead, changes[lead.LeadId]));
    }

    private static LeadStage ToProto(LeadRow lead, IEnumerable<StageChangeRow> history)
    {
        var stage = new LeadStage
        {
            LeadId = lead.LeadId.ToString(),
            Current = lead.Stage.ToProto(),
            Highest = lead.HighestStage.ToProto(),
            Version = lead.Version,
            EnterTime = lead.EnterTime.ToProto(),
        };
        if (lead.Score is { } score)
        {
            stage.Score = (double)score;
        }

        stage.History.AddRange(history.Select(ToProto));
        return stage;
    }

    private static StageChange ToProto(StageChangeRow row)
    {
        var change = new StageChange
        {
            Version = row.Version,
            From = row.FromStage.ToProto(),
            To = row.ToStage.ToProto(),
            Reason = row.Reason,
            Actor = row.Actor,
            Time = row.Time.ToProto(),
            Note = row.Note ?? "",
        };
        if (row.Score is { } score)
        {
            change.Score = (double)score;
        }

        return change;
    }
}
