using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Lifecycle.Testing;

/// <summary>Ports of the loopback address that nobody listens on.</summary>
public static class FreePorts
{
    private static readonly ConcurrentBag<Socket> Held = [];
    private static readonly Lazy<bool> CanHold = new(TryHold);

    /// <summary>
    /// Different ports, kept for this process and what it starts until it ends: bound without listening, so that the system gives them to
    /// nobody who takes any port, while a server that names one may listen there, and calls are refused until it does.
    /// </summary>
    public static int[] Find(int count)
    {
        var sockets = Enumerable.Range(0, count).Select(_ => Bind()).ToArray();
        var ports = sockets.Select(Port).ToArray();
        foreach (var socket in sockets)
        {
            if (CanHold.Value)
            {
                Held.Add(socket);
            }
            else
            {
                socket.Dispose();
            }
        }

        return ports;
    }

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    /// <summary>Whether a server may listen where a socket is only bound: so on Linux, not everywhere.</summary>
    private static bool TryHold()
    {
        using var held = Bind();
        using var server = new TcpListener(IPAddress.Loopback, Port(held));
        try
        {
            server.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
