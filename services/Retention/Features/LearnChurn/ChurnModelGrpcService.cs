using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain.Learning;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using ProtoModel = Lifecycle.Retention.V1.ChurnModel;

namespace Lifecycle.Retention.Features.LearnChurn;

/// <summary>The learnt churn model, and what it predicts.</summary>
public sealed class ChurnModelGrpcService(UnitOfWork<RetentionDbContext> work, IOptions<RetentionOptions> options, TimeProvider time)
    : ChurnModelService.ChurnModelServiceBase
{
    private const int DefaultHorizonDays = 90;
    private const int PageSize = 1_000;

    public override async Task<ProtoModel> TrainChurnModel(TrainChurnModelRequest request, ServerCallContext context)
    {
        var (caller, violations) = (context.Caller(), new Violations());
        var horizonDays = request.HorizonDays == 0 ? DefaultHorizonDays : request.HorizonDays;
        violations.Require(horizonDays is >= 30 and <= 365, "horizonDays", "horizonDays must be between 30 and 365.");
        violations.OrThrow();
        // It reads page by page before it writes: only the new version is part of the transaction.
        var cases = await Cases(caller.WorkspaceId, horizonDays, context.CancellationToken);
        return (await work.RunIdempotent<ProtoModel>(
            caller.WorkspaceId, context.Method, request.RequestId, request,
            async tx => ChurnLearner.Train(cases, horizonDays).TryGet(out var model, out var error)
                ? ChurnMessages.ToProto(await ChurnModels.Add(tx, model, caller.Actor))
                : error,
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ProtoModel> GetChurnModel(GetChurnModelRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Version >= 0, "version", "version is 0 or more.");
        violations.OrThrow();
        return (await work.Read<Result<ProtoModel>>(
            context.Caller().WorkspaceId,
            async tx => await ChurnModels.Find(tx, request.Version) is { } stored
                ? ChurnMessages.ToProto(stored)
                : Error.NotFound("Churn model", request.Version == 0 ? "(none is in force)" : request.Version),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ProtoModel> RetireChurnModel(RetireChurnModelRequest request, ServerCallContext context) =>
        (await work.RunIdempotent<ProtoModel>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await ChurnModels.Find(tx, 0) is not { } stored)
                {
                    return NoModel();
                }

                await ChurnModels.Retire(tx);
                return ChurnMessages.ToProto(stored with { RetireTime = tx.Now });
            },
            context.CancellationToken)).OrThrow();

    public override async Task<ChurnPrediction> PredictChurn(PredictChurnRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var id);
        violations.OrThrow();
        return (await work.Read<Result<ChurnPrediction>>(
            context.Caller().WorkspaceId,
            async tx =>
            {
                if (await tx.Db.Customers.SingleOrDefaultAsync(
                    row => row.WorkspaceId == tx.WorkspaceId && row.Id == id, tx.CancellationToken) is not { } customer)
                {
                    return Error.NotFound("Customer", id);
                }

                if (customer.Churned)
                {
                    return Error.Precondition($"Customer {id} has left.");
                }

                return await ChurnModels.Find(tx, 0) is { } stored
                    ? ChurnMessages.ToProto(stored, id, (await ChurnHistory.Facts(tx, [id], [tx.Now]))[0], tx.Now)
                    : NoModel();
            },
            context.CancellationToken)).OrThrow();
    }

    private static Error NoModel() => Error.Precondition("No churn model is in force: have one learnt by POST /v1/churnModel:train.");

    private async Task<List<ChurnCase>> Cases(Guid workspaceId, int horizonDays, CancellationToken ct)
    {
        var outcomes = await work.Read(
            workspaceId, tx => ChurnHistory.Outcomes(
                tx, ChurnHistory.Instants(time.GetUtcNow(), horizonDays), horizonDays, options.Value.MaxTrainingCases), ct);
        var cases = new List<ChurnCase>(outcomes.Count);
        var (lost, stayed) = (outcomes.Count(one => one.Lost), outcomes.Count(one => !one.Lost));
        // What would be refused anyway is not read any further.
        var unknown = new ChurnFacts(0, 0, 0, 0, 0, 0, 0, 0, null, null, "");
        var isEnough = ChurnLearner.Missing(lost, stayed, horizonDays) is null;
        foreach (var page in outcomes.Chunk(PageSize))
        {
            var facts = isEnough
                ? await work.Read(
                    workspaceId,
                    tx => ChurnHistory.Facts(tx, [.. page.Select(one => one.CustomerId)], [.. page.Select(one => one.Time)]), ct)
                : null;
            if (facts is null || facts.Count == page.Length)
            {
                cases.AddRange(page.Select((one, index) => new ChurnCase(one.CustomerId, one.Time, one.Lost, facts?[index] ?? unknown)));
            }
        }

        return cases;
    }
}
