using Grpc.Core;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Features.ReclassifyChannels;
using Lifecycle.Capture.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture;

/// <summary>Channels of a workspace.</summary>
internal sealed class ChannelGrpcService(ChannelsManager manager, ReclassificationRequests reclassifications)
    : ChannelService.ChannelServiceBase
{
    public override async Task<ChannelSettings> GetChannels(GetChannelsRequest request, ServerCallContext context) =>
        (await manager.Get(context.Caller(), request.Version, context.CancellationToken)).OrThrow();

    public override async Task<ChannelSettings> UpdateChannels(UpdateChannelsRequest request, ServerCallContext context) =>
        (await manager.Update(context.Caller(), request, context.CancellationToken)).OrThrow();

    public override async Task<Reclassification> ReclassifyChannels(ReclassifyChannelsRequest request, ServerCallContext context) =>
        (await reclassifications.Begin(context.Caller(), context.CancellationToken)).OrThrow();

    public override async Task<Reclassification> GetReclassification(GetReclassificationRequest request, ServerCallContext context) =>
        (await reclassifications.Get(context.Caller(), context.CancellationToken)).OrThrow();
}
