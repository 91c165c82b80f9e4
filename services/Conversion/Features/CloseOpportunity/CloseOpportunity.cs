using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Features.OpenOpportunity;
using Lifecycle.Conversion.Jobs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using OpportunityRow = Lifecycle.Conversion.Storage.OpportunityRow;

namespace Lifecycle.Conversion.Features.CloseOpportunity;

/// <summary>Wins or loses a deal, for good. The journey before it is frozen afterwards, by a worker: Capture may be away at the
/// win.</summary>
public sealed class CloseOpportunity(UnitOfWork<ConversionDbContext> work, JourneySignal journeys, TimeProvider time)
{
    public async Task<Result<Opportunity>> Win(WinOpportunityRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        var amount = OpportunityChecks.Amount(violations, request.Amount, "amount", caller.CurrencyCode);
        BackfillTime.Check(request.CloseTime.ToTime(), "closeTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var won = await work.RunIdempotent<Opportunity>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var locked = await Lock(tx, id, request.CloseTime.ToTime());
            if (!locked.TryGet(out var close, out var refused))
            {
                return refused;
            }

            await OpportunityBook.Win(tx, close.Row, close.Lead, amount ?? close.Row.Amount, close.Time, caller.Actor);
            return close.Row.ToProto();
        }, ct);
        journeys.Wake(caller.WorkspaceId);
        return won;
    }

    public async Task<Result<Opportunity>> Lose(LoseOpportunityRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Reason, "reason", 500);
        OpportunityChecks.Texts(violations, ("competitor", request.Competitor));
        BackfillTime.Check(request.CloseTime.ToTime(), "closeTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var lost = await work.RunIdempotent<Opportunity>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var locked = await Lock(tx, id, request.CloseTime.ToTime());
            if (!locked.TryGet(out var close, out var refused))
            {
                return refused;
            }

            await OpportunityBook.Lose(tx, close.Row, close.Lead, request.Reason.Trim(), close.Time, caller.Actor,
                OpportunityChecks.Text(request.Competitor));
            return close.Row.ToProto();
        }, ct);
        journeys.Wake(caller.WorkspaceId);
        return lost;
    }

    private static async Task<Result<Close>> Lock(Transaction<ConversionDbContext> tx, Guid id, DateTimeOffset? closeTime)
    {
        if (await OpportunityBook.Lock(tx, id) is not { } locked)
        {
            return Error.NotFound("Opportunity", id);
        }

        return OpportunityRules.Close(locked.Row.State, locked.Row.CreateTime, closeTime, tx.Now).Map(
            time => new Close(locked.Row, locked.Lead, time));
    }

    private sealed record Close(OpportunityRow Row, LeadRow? Lead, DateTimeOffset Time);
}
