using System.ComponentModel.DataAnnotations;

namespace Lifecycle.Rpc;

/// <summary>Bounds of the gRPC and REST surface; section <c>Rpc</c>.</summary>
public sealed class RpcOptions
{
    /// <summary>Largest JSON body of a REST call, bytes.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>Largest JSON body of a REST call whose method takes large ones, bytes.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxLargeBodyBytes { get; set; } = 5 * 1024 * 1024;

    /// <summary>Largest message taken over gRPC, bytes. Above <see cref="MaxBodyBytes"/>, so that an import chunk of 1 MiB fits.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxMessageBytes { get; set; } = 2 * 1024 * 1024;

    /// <summary>Pause after which an idle event stream sends a comment, so that proxies keep it open.</summary>
    [Range(1, 300)]
    public int HeartbeatSeconds { get; set; } = 15;
}
