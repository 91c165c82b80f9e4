using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Testing.V1;
using Npgsql;

namespace Lifecycle.Shared.IntegrationTests.Rpc;

/// <summary>Answers with what it was asked, so that a test sees how a request arrived.</summary>
internal sealed class ParcelGrpcService : ParcelService.ParcelServiceBase
{
    public override Task<Parcel> CreateParcel(Parcel request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Pieces >= 0, "pieces", "pieces must be at least 0.");
        violations.Require(request.Grams >= 0, "grams", "grams must be at least 0.");
        violations.OrThrow();
        return Task.FromResult(request);
    }

    public override Task<Parcel> GetParcel(GetParcelRequest request, ServerCallContext context) =>
        Task.FromResult(new Parcel { Id = request.Id, Note = context.Caller().Actor, Pieces = 1 });

    public override Task<Parcel> ExportParcel(GetParcelRequest request, ServerCallContext context) =>
        Task.FromResult(new Parcel { Id = request.Id, Note = "export" });

    public override Task<Empty> CloseParcel(GetParcelRequest request, ServerCallContext context) => Task.FromResult(new Empty());

    public override Task<UpdateParcelRequest> UpdateParcel(UpdateParcelRequest request, ServerCallContext context) =>
        Task.FromResult(request);

    public override Task<SearchParcelsRequest> SearchParcels(SearchParcelsRequest request, ServerCallContext context) =>
        Task.FromResult(request);

    public override async Task WatchParcels(
        WatchParcelsRequest request, IServerStreamWriter<Parcel> responseStream, ServerCallContext context)
    {
        for (var piece = 0; piece < request.Count; piece++)
        {
            await responseStream.WriteAsync(new Parcel { Pieces = piece }, context.CancellationToken);
        }

        if (request.Fail)
        {
            throw RpcErrors.ToException(Error.NotFound("Parcel", "watched"));
        }

        if (request.Count < 0)
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
    }

    public override async Task<ImportSummary> ImportParcels(IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context)
    {
        var import = (await ImportRows.Open(requestStream, context.CancellationToken)).OrThrow();
        var summary = new ImportSummary { DryRun = import.DryRun, RequestId = import.RequestId };
        await foreach (var row in import.Rows(context.CancellationToken))
        {
            summary.Rows++;
            if (row.Error is not null)
            {
                summary.Errors.Add($"{row.Line}: {row.Error}");
            }
            else if (summary.Rows <= 100)
            {
                summary.Lines.Add($"{row.Line}: {string.Join(", ", row.Values.Select(pair => $"{pair.Key}={pair.Value ?? "-"}"))}");
            }
        }

        return summary;
    }

    public override Task<Parcel> FailParcel(FailParcelRequest request, ServerCallContext context) => request.How switch
    {
        "bug" => throw new InvalidOperationException("secret of the house"),
        "not-found" => throw RpcErrors.ToException(Error.NotFound("Parcel", "7")),
        "exhausted" => throw RpcErrors.ToException(Error.Exhausted("Too many parcels.", TimeSpan.FromSeconds(2.5))),
        "precondition" => throw RpcErrors.ToException(Error.Precondition("The parcel is sent.")),
        "unkeepable" => throw new PostgresException("secret text", "ERROR", "ERROR", PostgresErrorCodes.UntranslatableCharacter),
        "exists" => throw RpcErrors.ToException(Error.AlreadyExists("The parcel exists.")),
        "downstream-unavailable" => throw new RpcException(new Status(StatusCode.Unavailable, "10.0.0.7 refused")),
        "downstream-not-found" => throw new RpcException(new Status(StatusCode.NotFound, "no such row in the other service")),
        "downstream-slow" => throw new RpcException(new Status(StatusCode.DeadlineExceeded, "too late")),
        _ => throw new OperationCanceledException(request.How.ToString(CultureInfo.InvariantCulture)),
    };

    public override Task<Parcel> GetTariff(Empty request, ServerCallContext context) => Task.FromResult(new Parcel { Note = "free" });

    public override Task<Parcel> MoveParcel(GetParcelRequest request, ServerCallContext context) =>
        Task.FromResult(new Parcel { Id = request.Id });
}
