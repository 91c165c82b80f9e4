using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Features.ExportPerson;
using Lifecycle.Capture.Features.ImportLeads;
using Lifecycle.Capture.Features.ReadLeads;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Capture;

/// <summary>Leads of a workspace.</summary>
internal sealed class LeadGrpcService(
    LeadReader reader, LeadWriter writer, JourneyReader journeys, LeadImport import, PersonExport export, ErasureReceipts erasures)
    : LeadService.LeadServiceBase
{
    public override async Task<ListLeadsResponse> ListLeads(ListLeadsRequest request, ServerCallContext context) =>
        (await reader.List(context.Caller(), request, context.CancellationToken)).OrThrow();

    public override async Task<Lead> CreateLead(CreateLeadRequest request, ServerCallContext context) =>
        (await writer.Create(context.Caller(), request, context.CancellationToken)).OrThrow();

    public override async Task<Lead> GetLead(GetLeadRequest request, ServerCallContext context) =>
        (await reader.Get(context.Caller(), Id(request.Id), context.CancellationToken)).OrThrow();

    public override async Task<Lead> UpdateLead(UpdateLeadRequest request, ServerCallContext context) =>
        (await writer.Update(context.Caller(), request, context.CancellationToken)).OrThrow();

    public override async Task<Empty> DeleteLead(DeleteLeadRequest request, ServerCallContext context) =>
        (await writer.Delete(context.Caller(), request, context.CancellationToken)).OrThrow();

    public override async Task<Erasure> GetErasure(GetErasureRequest request, ServerCallContext context) =>
        (await erasures.Get(context.Caller(), Id(request.Id), context.CancellationToken)).OrThrow();

    public override async Task<Journey> GetJourney(GetJourneyRequest request, ServerCallContext context) =>
        (await journeys.Get(context.Caller(), Id(request.Id), context.CancellationToken)).OrThrow();

    public override async Task<ExportLeadResponse> ExportLead(ExportLeadRequest request, ServerCallContext context) =>
        (await export.Export(context.Caller(), Id(request.Id), context.CancellationToken)).OrThrow();

    public override async Task<Lead> MergeLeads(MergeLeadsRequest request, ServerCallContext context) =>
        (await writer.Merge(context.Caller(), request, context.CancellationToken)).OrThrow();

    public override async Task<ImportResponse> ImportLeads(IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await import.Import(context.Caller(), requestStream, context.CancellationToken)).OrThrow();

    private static Guid Id(string text)
    {
        var violations = new Violations();
        violations.RequireId(text, "id", out var id);
        violations.OrThrow();
        return id;
    }
}
