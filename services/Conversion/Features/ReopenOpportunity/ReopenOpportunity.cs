using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Features.OpenOpportunity;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using OpportunityRow = Lifecycle.Conversion.Storage.OpportunityRow;

namespace Lifecycle.Conversion.Features.ReopenOpportunity;

/// <summary>Takes a lost deal up again. What was lost stays lost: win rates and reports of the past do not change.</summary>
public sealed class ReopenOpportunity(UnitOfWork<ConversionDbContext> work, TimeProvider time)
{
    public async Task<Result<Opportunity>> Handle(ReopenOpportunityRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Reason, "reason", 500);
        OpportunityChecks.Texts(violations, ("stage", request.Stage));
        BackfillTime.Check(request.ReopenTime.ToTime(), "reopenTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Opportunity>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await OpportunityBook.Lock(tx, id) is not var (lost, lead))
            {
                return Error.NotFound("Opportunity", id);
            }

            var reopenTime = request.ReopenTime.ToTime() ?? (tx.Now < lost.CloseTime ? lost.CloseTime.Value : tx.Now);
            if (OpportunityRules.Reopen(lost.State, lost.ReopenedAs, lost.CloseTime, reopenTime).Error is { } refused)
            {
                return refused;
            }

            var steps = (await tx.Db.Pipelines.SingleAsync(row => row.Id == lost.PipelineId, ct)).Steps();
            // The stage that it was lost from may be gone by now.
            if ((request.Stage.Length == 0 ? Pipelines.Find(steps, lost.Stage) ?? steps[0]
                : Pipelines.Find(steps, request.Stage)) is not { } step)
            {
                return OpportunityChecks.NoStep(request.Stage, steps);
            }

            var again = new OpportunityRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                LeadId = lost.LeadId,
                ExternalId = lost.ExternalId,
                Name = lost.Name,
                Amount = lost.Amount,
                CurrencyCode = lost.CurrencyCode,
                PipelineId = lost.PipelineId,
                Stage = step.Name,
                Owner = lost.Owner,
                Product = lost.Product,
                Account = lost.Account,
                CreateTime = reopenTime,
                Contacts = lost.Contacts,
                Lines = lost.Lines,
                ReopenedFrom = lost.Id,
            };
            await OpportunityBook.Reopen(tx, lost, again, lead, request.Reason.Trim(), caller.Actor);
            return again.ToProto();
        }, ct);
    }
}
