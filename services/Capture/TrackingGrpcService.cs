using Grpc.Core;
using Lifecycle.Capture.Features.ChangeTracking;
using Lifecycle.Capture.Features.ServeTracking;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture;

/// <summary>Tracking settings of a workspace.</summary>
internal sealed class TrackingGrpcService(UnitOfWork<CaptureDbContext> work, TrackingSites sites) : TrackingService.TrackingServiceBase
{
    public override Task<TrackingSettings> GetTracking(GetTrackingRequest request, ServerCallContext context) =>
        work.Read(context.Caller().WorkspaceId, async tx =>
        {
            var (settings, updated) = await TrackingStore.Load(tx);
            return TrackingRequests.ToProto(settings, updated);
        }, context.CancellationToken);

    public override async Task<TrackingSettings> UpdateTracking(UpdateTrackingRequest request, ServerCallContext context)
    {
        var workspaceId = context.Caller().WorkspaceId;
        var settings = TrackingRequests.Read(request).OrThrow();
        var answer = (await work.RunIdempotent<TrackingSettings>(workspaceId, context.Method, request.RequestId, request, async tx =>
        {
            await TrackingStore.Save(tx, settings);
            return TrackingRequests.ToProto(settings, tx.Now);
        }, context.CancellationToken)).OrThrow();
        sites.Forget(workspaceId);
        return answer;
    }
}
