using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.AnswerHandoff;

/// <summary>Gives a hand-off to a seller, or rules its lead out.</summary>
public sealed class RouteHandoff(UnitOfWork<ConversionDbContext> work, TimeProvider time)
{
    public async Task<Result<Handoff>> Assign(AssignHandoffRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.Require(request.Owner.Length <= 200, "owner", "owner has at most 200 characters.");
        Guid? teamId = request.TeamId.Length > 0 && violations.RequireId(request.TeamId, "teamId", out var team) ? team : null;
        violations.Require(request.Owner.Length == 0 || request.TeamId.Length == 0, "teamId", "Name an owner or a team, not both.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Handoff>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await AnswerHandoff.Lock(tx, id) is not var (handoff, lead))
            {
                return Error.NotFound("Hand-off", id);
            }

            if (HandoffMachine.Assign(handoff.State).Error is { } refused)
            {
                return refused;
            }

            if (teamId is { } named && !await tx.Db.SalesTeams.AnyAsync(row => row.Id == named, ct))
            {
                return Error.NotFound("Sales team", named);
            }

            if (request.Owner.Trim() is { Length: > 0 } owner)
            {
                await HandoffDesk.Assign(tx, handoff, owner, null, caller.Actor);
            }
            else if (await HandoffDesk.Choose(tx, lead, teamId) is { } chosen)
            {
                await HandoffDesk.Assign(tx, handoff, chosen.Owner, chosen.TeamId, caller.Actor);
            }
            else
            {
                return Error.Precondition(
                    teamId is null ? "No team's rule fits the lead, or nobody is there." : "Nobody of the team is there.");
            }

            return handoff.ToProto(tx.Now);
        }, ct);
    }

    public async Task<Result<Handoff>> Disqualify(DisqualifyHandoffRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Reason, "reason", 100);
        violations.Require(request.Note.Length <= 2000, "note", "note has at most 2000 characters.");
        BackfillTime.Check(request.DisqualifyTime.ToTime(), "disqualifyTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Handoff>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await AnswerHandoff.Lock(tx, id) is not var (handoff, lead))
            {
                return Error.NotFound("Hand-off", id);
            }

            var ruledOut = await HandoffAnswers.Disqualify(
                tx, handoff, lead, request.Reason.Trim(), request.Note, request.DisqualifyTime.ToTime() ?? tx.Now, caller.Actor);
            return ruledOut.Error is { } refused ? refused : handoff.ToProto(tx.Now);
        }, ct);
    }
}
