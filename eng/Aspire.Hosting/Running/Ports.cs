using System.Net;
using System.Net.Sockets;

namespace Aspire.Hosting.Running;

/// <summary>
/// Gives out free ports from below the range that the system takes for outgoing connections, so that a process which restarts
/// finds its port still free.
/// </summary>
internal sealed class Ports
{
    private const int First = 20000, Last = 31999;
    private readonly HashSet<int> _given = [];
    private int _next = Random.Shared.Next(First, Last);

    /// <exception cref="DistributedApplicationException">All ports of the range are taken.</exception>
    public int Free()
    {
        for (var tried = First; tried <= Last; tried++)
        {
            _next = _next == Last ? First : _next + 1;
            if (IsFree(_next) && _given.Add(_next)) return _next;
        }

        throw new DistributedApplicationException($"No port from {First} to {Last} is free.");
    }

    /// <summary>The port is asked for by number: it goes to nobody else.</summary>
    public void Keep(int port) => _given.Add(port);

    /// <summary>Whether nothing listens on the port of the loopback address or of all addresses.</summary>
    public static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            // As servers do: a port whose last connections are only waiting out their time is free.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
