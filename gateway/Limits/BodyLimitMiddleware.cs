using Lifecycle.Gateway.Routes;
using Lifecycle.Rpc;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Lifecycle.Gateway.Limits;

/// <summary>Refuses bodies that say they are too large before a byte is read, and has Kestrel cut those that do not say.</summary>
internal sealed class BodyLimitMiddleware(RequestDelegate next, IOptions<GatewayOptions> options)
{
    public Task InvokeAsync(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        var method = metadata?.GetMetadata<RpcMethod>();
        var limit = method is { Descriptor.IsClientStreaming: true } ? null
            : metadata?.GetMetadata<IngestEndpoint>() is not null ? options.Value.IngestBodyBytes
            : (long?)options.Value.BodyBytes;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = limit;
        }

        return context.Request.ContentLength > limit
            ? Problem.ForStatus(context, StatusCodes.Status413PayloadTooLarge, $"The body is larger than {limit} bytes.").Write(context)
            : next(context);
    }
}
