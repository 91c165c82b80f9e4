using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Lifecycle.Testing;

/// <summary>A Redis server process of its own, in memory only.</summary>
public sealed class TestRedis : IAsyncDisposable
{
    private readonly Process process;

    private TestRedis(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    /// <summary><c>host:port</c>, as a service is given it.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <param name="port">Port to listen on, to come back where another was; free by default.</param>
    public static async Task<TestRedis> Start(int? port = null)
    {
        var chosen = port ?? FreePorts.Find(1)[0];
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("redis-server", [
                "--port", $"{chosen}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no",
                "--logfile", "/dev/null", "--dir", Path.GetTempPath()])
            {
                RedirectStandardOutput = true,
            })!;
        }
        catch (Win32Exception)
        {
            TestServers.Missing("redis-server");
            throw;
        }

        var redis = new TestRedis(process, chosen);
        await Eventually.Equal("+PONG", () => redis.Command("PING"), "Redis answers");
        return redis;
    }

    /// <summary>Sends one command in line form, e.g. <c>FLUSHALL</c>, and answers the first line that comes back.</summary>
    public async Task<string> Command(string command)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{command}\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync() ?? "";
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }
}
