using System.Diagnostics;
using System.Net.Sockets;

namespace Lifecycle.Testing;

/// <summary>A RabbitMQ server of a test's own that keeps its data, for killing it.</summary>
public sealed class TestRabbitMq : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(120);
    private readonly string folder = Directory.CreateTempSubdirectory("lifecycle-test-rabbitmq-").FullName;
    private readonly int port;
    private readonly int managementPort;
    private Process? process;

    private TestRabbitMq()
    {
        var ports = FreePorts.Find(2);
        (port, managementPort) = (ports[0], ports[1]);
    }

    /// <summary><c>amqp://user:password@host:port/vhost</c>, as a service is given it.</summary>
    public string ConnectionString => $"amqp://guest:guest@127.0.0.1:{port}/";

    public static async Task<TestRabbitMq> Start()
    {
        var server = new TestRabbitMq();
        await server.Restart();
        return server;
    }

    /// <summary>Starts it, on the same port and data as before, and waits until it takes connections.</summary>
    public Task Restart() => Eventually.Passes(
        async () =>
        {
            // What a killed server leaves behind may hold up the next start for a moment.
            if (process is null or { HasExited: true })
            {
                process = await ServerProcess.Start(
                    "rabbitmq", "--data", folder, "--port", $"{port}", "--management-port", $"{managementPort}");
            }

            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);

            // A broker greets whoever does not speak its protocol with the version that it speaks.
            await using var stream = client.GetStream();
            await stream.WriteAsync("AMQP\0\0\0\0"u8.ToArray());
            var greeting = new byte[4];
            await stream.ReadExactlyAsync(greeting);
            if (!greeting.AsSpan().SequenceEqual("AMQP"u8))
            {
                throw new InvalidOperationException("Something else answers.");
            }
        },
        "RabbitMQ answers", StartPatience);

    /// <summary>SIGKILL.</summary>
    public async Task Kill()
    {
        process!.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await Kill();
        }

        process?.Dispose();
        await Eventually.Passes(
            () =>
            {
                Directory.Delete(folder, recursive: true);
                return Task.CompletedTask;
            },
            "the data folder goes");
    }
}
