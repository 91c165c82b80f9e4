using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ExportPerson;

/// <summary>What this service holds on a person.</summary>
internal sealed class PersonDataGrpcService(PersonExport export) : PersonDataService.PersonDataServiceBase
{
    public override async Task<ExportPersonResponse> ExportPerson(ExportPersonRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var id);
        violations.OrThrow();
        var own = await export.Own(context.Caller(), id, context.CancellationToken);
        return own.Error is { Kind: ErrorKind.NotFound } ? new() { Data = new() } : new() { Data = own.OrThrow().Data };
    }
}
