using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Lifecycle.Testing;

/// <summary>Ports of the loopback address that nobody listens on. They stay this process's own: no other is given one, also while what listens there starts or
/// is started again.</summary>
public static class FreePorts
{
    /// <summary>Bound and never listening: connections to them are refused, and a server that is told of the port can bind it beside (SO_REUSEADDR).</summary>
    private static readonly ConcurrentBag<Socket> Held = [];

    public static int[] Find(int count) => [.. Enumerable.Range(0, count).Select(_ => Hold())];

    private static int Hold()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Held.Add(socket);
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
