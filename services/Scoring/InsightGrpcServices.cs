using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Features.ActivityEffect;
using Lifecycle.Scoring.Features.LearnModel;
using Lifecycle.Scoring.Features.SimulateModel;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring;

/// <summary>Simulations that stream their progress.</summary>
public sealed class SimulationGrpcService(ModelSimulator simulator) : SimulationService.SimulationServiceBase
{
    public override Task StreamSimulation(
        StreamSimulationRequest request, IServerStreamWriter<StreamSimulationResponse> responseStream, ServerCallContext context)
    {
        var caller = context.Caller();
        var asked =
            new SimulateModelRequest { Model = request.Model, From = request.From, To = request.To, SampleSize = request.SampleSize };
        return simulator.Stream(caller.WorkspaceId, caller.TimeZone, asked, responseStream, context.CancellationToken);
    }
}

/// <summary>Prediction models and what they predict.</summary>
public sealed class PredictionGrpcService(PredictionLearner learner, ConversionPredictor predictor)
    : PredictionService.PredictionServiceBase
{
    private const int MaxLeads = 1_000;

    public override async Task<PredictionModel> TrainPredictionModel(TrainPredictionModelRequest request, ServerCallContext context) =>
        (await learner.Train(context.Caller().WorkspaceId, context.Caller().Actor, request, context.CancellationToken)).OrThrow();

    public override async Task<PredictionModel> GetPredictionModel(GetPredictionModelRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Version >= 0, "version", "version is 0 or more.");
        violations.OrThrow();
        return (await learner.Get(context.Caller().WorkspaceId, request.Version, context.CancellationToken)).OrThrow();
    }

    public override async Task<ConversionPrediction> PredictConversion(PredictConversionRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var id);
        violations.OrThrow();
        var predictions = (await predictor.Predict(context.Caller().WorkspaceId, [id], context.CancellationToken)).OrThrow();
        Result<ConversionPrediction> found = predictions.TryGetValue(id, out var prediction) ? prediction : Error.NotFound("Lead", id);
        return found.OrThrow();
    }

    public override async Task<BatchPredictConversionsResponse> BatchPredictConversions(
        BatchPredictConversionsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(
            request.LeadIds.Count is > 0 and <= MaxLeads, "leadIds", $"leadIds has 1 to {MaxLeads} ids, not {request.LeadIds.Count}.");
        var ids = new List<Guid>();
        foreach (var (index, text) in request.LeadIds.Take(MaxLeads).Index())
        {
            violations.RequireId(text, $"leadIds[{index}]", out var id);
            ids.Add(id);
        }

        violations.OrThrow();
        var predictions = (await predictor.Predict(
            context.Caller().WorkspaceId, ids.Distinct().ToArray(), context.CancellationToken)).OrThrow();
        var response = new BatchPredictConversionsResponse();
        response.Predictions.AddRange(ids.Where(predictions.ContainsKey).Select(id => predictions[id]));
        response.MissingLeadIds.AddRange(ids.Where(id => !predictions.ContainsKey(id)).Distinct().Select(id => id.ToString()));
        return response;
    }
}

/// <summary>Reports on what leads do.</summary>
public sealed class ScoringReportGrpcService(ActivityEffectReport effect) : ReportService.ReportServiceBase
{
    public override async Task<GetActivityEffectResponse> GetActivityEffect(GetActivityEffectRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        return (await effect.Report(caller.WorkspaceId, caller.TimeZone, request, context.CancellationToken)).OrThrow();
    }
}
