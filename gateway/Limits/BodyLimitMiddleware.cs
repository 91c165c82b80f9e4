using Lifecycle.Gateway.Routes;
using Lifecycle.Rpc;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Lifecycle.Gateway.Limits;

/// <summary>Refuses bodies that say they are too large before a byte is read, and cuts those that do not say.</summary>
internal sealed class BodyLimitMiddleware(RequestDelegate next, IOptions<GatewayOptions> options)
{
    /// <summary>What Kestrel reads and drops of a body that is too large, so that the client gets to read the answer.</summary>
    private const int Slack = 1024 * 1024;

    public Task InvokeAsync(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        var method = metadata?.GetMetadata<RpcMethod>();
        var limit = method is { Descriptor.IsClientStreaming: true } ? null
            : method is { TakesLargeBody: true } || metadata?.GetMetadata<IngestEndpoint>() is not null ? options.Value.IngestBodyBytes
            : (long?)options.Value.BodyBytes;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = limit + Slack;
        }

        if (limit is { } most && HttpProtocol.IsHttp11(context.Request.Protocol) && context.Request.ContentLength is null)
        {
            context.Request.Body = new LimitedBody(context.Request.Body, most);
        }

        return context.Request.ContentLength > limit
            ? Problem.ForStatus(context, StatusCodes.Status413PayloadTooLarge, $"The body is larger than {limit} bytes.").Write(context)
            : next(context);
    }
}
