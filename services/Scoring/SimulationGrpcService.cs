using Grpc.Core;
using Lifecycle.Rpc;
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
        var asked = new SimulateModelRequest { Model = request.Model, From = request.From, To = request.To, SampleSize = request.SampleSize };
        return simulator.Stream(caller.WorkspaceId, caller.TimeZone, asked, responseStream, context.CancellationToken);
    }
}
