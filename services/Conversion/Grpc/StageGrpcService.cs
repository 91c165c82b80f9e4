using Grpc.Core;
using Lifecycle.Conversion.Features.EnsureLead;
using Lifecycle.Conversion.Features.MoveLeadStage;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Grpc;

/// <summary>The stage ledger over gRPC and REST.</summary>
public sealed class StageGrpcService(UnitOfWork<ConversionDbContext> work, EnsureLead leads, MoveLeadStage move)
    : StageService.StageServiceBase
{
    public override async Task<LeadStage> GetLeadStage(GetLeadStageRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var id);
        violations.OrThrow();
        // Created a moment ago, it may not have been heard of yet.
        (await leads.Handle(context.Caller().WorkspaceId, id, context.CancellationToken)).OrThrow();
        var found = await work.Read(context.Caller().WorkspaceId, async tx =>
        {
            var lead = await tx.Db.Leads.SingleOrDefaultAsync(row => row.LeadId == id, context.CancellationToken);
            if (lead is { MergedInto: { } target })
            {
                lead = await tx.Db.Leads.SingleOrDefaultAsync(row => row.LeadId == target, context.CancellationToken);
            }

            return lead is { Version: > 0, Erased: false }
                ? (Result<LeadStage>)await StageMessages.Read(tx, lead)
                : Error.NotFound("Lead", id);
        }, context.CancellationToken);
        return found.OrThrow();
    }

    public override async Task<LeadStage> MoveLeadStage(MoveLeadStageRequest request, ServerCallContext context) =>
        (await move.Handle(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();
}
