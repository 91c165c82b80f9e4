using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Lifecycle.Benchmarks;

/// <summary>
/// One HTTP/1.1 connection that sends bytes made beforehand and reads answers to their end: the load generator shares the machine with what
/// it measures, and a full client would take as much of it as the gateway.
/// </summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] buffer = new byte[64 * 1024];

    /// <summary>The last answer, headers and body.</summary>
    public string Answer { get; private set; } = "";

    public static async Task<LoadConnection> Open(Uri address)
    {
        var connection = new LoadConnection();
        await connection.socket.ConnectAsync(address.Host, address.Port);
        return connection;
    }

    /// <summary>A POST of JSON as it goes over the wire.</summary>
    public static byte[] Request(Uri address, string path, string key, ReadOnlySpan<byte> json)
    {
        var head = Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n");
        return [.. head, .. json];
    }

    /// <summary>A GET as it goes over the wire.</summary>
    public static byte[] Get(Uri address, string path, string key) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {key}\r\n\r\n");

    /// <summary>Sends and waits for the whole answer.</summary>
    /// <returns>Its status.</returns>
    public async Task<int> Send(byte[] request)
    {
        for (var sent = 0; sent < request.Length;)
        {
            sent += await socket.SendAsync(request.AsMemory(sent));
        }

        for (var length = 0; ;)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory(length));
            if (count == 0)
            {
                throw new InvalidOperationException("The gateway closed the connection.");
            }

            length += count;
            if (IsWhole(buffer.AsSpan(0, length)))
            {
                Answer = Encoding.UTF8.GetString(buffer, 0, length);
                return int.Parse(Answer.AsSpan(9, 3), CultureInfo.InvariantCulture);
            }
        }
    }

    public void Dispose() => socket.Dispose();

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        var head = Encoding.ASCII.GetString(answer[..end]);
        var at = head.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return answer.EndsWith("0\r\n\r\n"u8);
        }

        var value = head[(at + "Content-Length: ".Length)..].Split('\r')[0];
        return answer.Length >= end + 4 + int.Parse(value, CultureInfo.InvariantCulture);
    }
}
