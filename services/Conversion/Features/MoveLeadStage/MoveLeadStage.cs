using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.MoveLeadStage;

/// <summary>Moves a lead by hand, by the same rules as everyone else.</summary>
public sealed class MoveLeadStage(UnitOfWork<ConversionDbContext> work, EnsureLead.EnsureLead leads, TimeProvider time)
{
    public async Task<Result<LeadStage>> Handle(MoveLeadStageRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var leadId);
        var to = request.To.ToKernel();
        violations.Require(to is not null and not Stage.Visitor, "to", $"to must be one of {string.Join(", ", Targets)}.");
        violations.Require(
            request.Reason.Length == 0 || StageReasons.All.Contains(request.Reason), "reason",
            $"reason must be one of {string.Join(", ", StageReasons.All)}.");
        violations.Require(request.Note.Length <= 1000, "note", $"note has {request.Note.Length} characters; at most 1000 are accepted.");
        BackfillTime.Check(request.MoveTime.ToTime(), "moveTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        // Nearly every lead is known: Capture is asked only where the move meets a stranger.
        var isKnown = true;
        Task<Result<LeadStage>> Move() => work.RunIdempotent<LeadStage>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var lead = await StageLedger.LockKnown(tx, leadId);
            if (lead is null || !(lead.Captured || lead.LeadId != leadId))
            {
                isKnown = false;
                return Error.NotFound("Lead", leadId);
            }

            var reason = request.Reason.Length > 0 ? request.Reason : StageMachine.DefaultReason(lead.Stage, to!.Value);
            if (reason is null)
            {
                return Error.Invalid(
                    "reason", $"From {lead.Stage.Name()} back to {to!.Value.Name()} needs one of the reasons RECYCLED, SCORE_DECAYED, LOST, REOPENED.");
            }

            var moved = await StageLedger.Move(
                tx, lead, new(to!.Value, reason, request.MoveTime.ToTime() ?? tx.Now),
                new(caller.Actor, request.Note.Length == 0 ? null : request.Note));
            return moved.Error is { } refused ? refused : await StageMessages.Read(tx, lead);
        }, ct);

        var answer = await Move();
        if (isKnown)
        {
            return answer;
        }

        return (await leads.Handle(caller.WorkspaceId, leadId, ct)).Error is { } unknown ? unknown : await Move();
    }

    private static IEnumerable<string> Targets =>
        Enum.GetValues<Stage>().Where(stage => stage != Stage.Visitor).Select(stage => stage.Name());
}

/// <summary>Where leads stand, as messages.</summary>
public static class StageMessages
{
    public static async Task<LeadStage> Read(Transaction<ConversionDbContext> tx, LeadRow lead)
    {
        var history = await tx.Db.StageChanges.AsNoTracking().Where(change => change.LeadId == lead.LeadId)
            .OrderBy(change => change.Version).ToListAsync(tx.CancellationToken);
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
