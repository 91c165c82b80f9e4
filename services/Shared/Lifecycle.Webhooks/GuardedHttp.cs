using System.Net;
using System.Net.Sockets;

namespace Lifecycle.Webhooks;

/// <summary>The address is one that callers may not make us speak to.</summary>
public sealed class PrivateAddressException(string message) : Exception(message);

/// <summary>
/// An HTTP client for addresses that users name. Each connection goes to an address that was looked up and judged in the same breath, so
/// that a name cannot point elsewhere between check and use; redirects are not followed, nor is a proxy used.
/// </summary>
public static class GuardedHttp
{
    /// <param name="allowed">Private networks that the operator allows, e.g. <c>10.1.0.0/16</c>.</param>
    /// <param name="timeout">Longest wait for an answer.</param>
    public static HttpClient Create(IReadOnlyList<IPNetwork> allowed, TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ConnectTimeout = timeout,
            MaxResponseHeadersLength = 32,
            ConnectCallback = (context, ct) => Connect(context.DnsEndPoint, allowed, ct),
        };
        return new HttpClient(handler) { Timeout = timeout };
    }

    /// <summary>Reads networks such as <c>127.0.0.0/8</c>.</summary>
    /// <exception cref="FormatException">A text is no network.</exception>
    public static IReadOnlyList<IPNetwork> Networks(IEnumerable<string> texts) => [.. texts.Select(text => IPNetwork.Parse(text))];

    private static async ValueTask<Stream> Connect(DnsEndPoint target, IReadOnlyList<IPNetwork> allowed, CancellationToken ct)
    {
        var found = await Dns.GetHostAddressesAsync(target.Host, ct);
        var open = found.Where(address => Addresses.IsPublic(address)
            || allowed.Any(network => network.Contains(Addresses.Plain(address)))).ToArray();
        if (open.Length == 0)
        {
            throw new PrivateAddressException(
                found.Length == 0 ? $"{target.Host} has no address." : $"{target.Host} leads to a private address, which is not allowed.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(open, target.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Which addresses are the public internet's.</summary>
public static class Addresses
{
    /// <summary>What the registries of special-purpose addresses (RFC 6890 and its updates) keep from the public.</summary>
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/128", "::1/128", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "64:ff9b::/96",
            "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(text => IPNetwork.Parse(text)),
    ];

    public static bool IsPublic(IPAddress address) => !Special.Any(network => network.Contains(Plain(address)));

    /// <summary>An IPv4 address that is written as IPv6 as what it is.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
