using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.RetainData;

/// <summary>A workspace's policy of data retention.</summary>
internal sealed class DataRetentionGrpcService(RetentionPolicy policy) : DataRetentionService.DataRetentionServiceBase
{
    public override Task<DataRetention> GetDataRetention(GetDataRetentionRequest request, ServerCallContext context) =>
        policy.Get(context.Caller(), context.CancellationToken);

    public override async Task<DataRetention> UpdateDataRetention(UpdateDataRetentionRequest request, ServerCallContext context) =>
        (await policy.Set(context.Caller(), request, context.CancellationToken)).OrThrow();
}
