using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Lifecycle.Rpc.Rest;

/// <summary>What a gRPC method sees of a REST call.</summary>
internal sealed class RestCallContext(HttpContext http, string method) : ServerCallContext
{
    private readonly Dictionary<object, object> state = new() { ["__HttpContext"] = http };
    private Metadata? requestHeaders;

    protected override string MethodCore => method;

    protected override string HostCore => http.Request.Host.Value ?? "";

    protected override string PeerCore => http.Connection.RemoteIpAddress is { } address ? $"{address}:{http.Connection.RemotePort}" : "";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override CancellationToken CancellationTokenCore => http.RequestAborted;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new(null, []);

    protected override IDictionary<object, object> UserStateCore => state;

    protected override Metadata RequestHeadersCore
    {
        get
        {
            if (requestHeaders is null)
            {
                requestHeaders = [];
                foreach (var (name, value) in http.Request.Headers)
                {
                    // Binary headers are gRPC's own; pseudo headers are none.
                    if (name.Length > 0 && name[0] != ':'
                        && !name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
                    {
                        requestHeaders.Add(name.ToLowerInvariant(), value.ToString());
                    }
                }
            }

            return requestHeaders;
        }
    }

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        foreach (var header in responseHeaders.Where(header => !header.IsBinary))
        {
            http.Response.Headers.Append(header.Key, header.Value);
        }

        return Task.CompletedTask;
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Call context is not propagated; use RpcCalls.");
}
