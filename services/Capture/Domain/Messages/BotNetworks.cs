using System.Net;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>Networks from which no person visits, such as data centres: what comes from them is a robot's.</summary>
/// <param name="networks">In CIDR form, e.g. <c>203.0.113.0/24</c> or <c>2001:db8::/32</c>.</param>
public sealed class BotNetworks(IEnumerable<string> networks)
{
    /// <summary>Name under which such robots are counted.</summary>
    public const string Name = "network";

    private readonly IPNetwork[] known = [.. networks.Select(IPNetwork.Parse)];

    /// <summary>Whether any is given.</summary>
    public bool Any => known.Length > 0;

    /// <summary>Whether the address, as text, lies in one; false for what is no address.</summary>
    public bool Contains(string? address)
    {
        if (!Any || !IPAddress.TryParse(address, out var ip))
        {
            return false;
        }

        ip = ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip;
        return Array.Exists(known, network => network.Contains(ip));
    }
}
