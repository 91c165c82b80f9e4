using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.V1;
using Aspire.Hosting.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lifecycle.AppHostTests;

/// <summary>Small applications under the real orchestrator and the real dashboard.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task Application_StartsInOrderAndIsShown()
    {
        await using var application = RunningApplication.Start(builder =>
        {
            var token = builder.AddParameter("token", new GenerateParameterDefault { MinLength = 30 }, secret: true);
            var job = builder.AddScript("job", "echo prepared");
            var healthy = false;
            builder.Services.AddHealthChecks().AddCheck(
                "flag", () => healthy ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("not yet"));
            var server = builder.AddScript("server", $"echo listening on $PORT; echo oh >&2; {Scripts.Forever}")
                .WithHttpEndpoint(name: "http", env: "PORT")
                .WithEnvironment("TOKEN", token)
                .WithHealthCheck("flag")
                .WaitForCompletion(job);
            builder.AddScript("client", $"echo calling $services__server__http__0; {Scripts.Forever}")
                .WithReference(server.GetEndpoint("http")).WaitFor(server);
            healthy = true;
        }, dashboard: true);
        await application.ReadyAsync();

        var job = await application.ResourceAsync("job", r => r.State == "Finished");
        var server = await application.ResourceAsync("server", r => r.State == "Running");
        var client = await application.ResourceAsync("client", r => r.State == "Running");
        var token = await application.ResourceAsync("token", _ => true);
        Assert.True(job.StoppedAt <= server.StartedAt, $"{job.StoppedAt} {server.StartedAt}");
        Assert.True(server.StartedAt <= client.StartedAt, $"{server.StartedAt} {client.StartedAt}");
        var health = server.HealthReports.Single();
        Assert.Equal((Aspire.Hosting.Dashboard.V1.HealthStatus.Healthy, "flag"), (health.Status, health.Key));
        var url = server.Urls.Single().FullUrl;
        Assert.Equal($"http://127.0.0.1:{server.Environment.Single(v => v.Name == "PORT").Value}", url);
        Assert.Equal(url, client.Environment.Single(v => v.Name == "services__server__http__0").Value);
        var value = token.Properties.Single(p => p.Name == "Value");
        Assert.True(value.IsSensitive);
        Assert.Equal(value.Value.StringValue, server.Environment.Single(v => v.Name == "TOKEN").Value);

        Assert.False((await application.LineAsync(server.Name, "listening on")).IsStdErr);
        Assert.True((await application.LineAsync(server.Name, " oh")).IsStdErr);
        await application.LineAsync(client.Name, $"calling {url}");

        await AssertTelemetryIsLinkedAsync(application, server.Name);
    }

    [Fact]
    public async Task Commands_StopStartAndRestart()
    {
        await using var application = RunningApplication.Start(builder => builder.AddScript("server", $"echo pid $$; {Scripts.Forever}"));
        await application.ReadyAsync();
        var first = await application.ResourceAsync("server", r => r.State == "Running");
        Assert.Equal(
            [("start", ResourceCommandState.Hidden), ("stop", ResourceCommandState.Enabled), ("restart", ResourceCommandState.Enabled)],
            first.Commands.Select(c => (c.Name, c.State)));
        await application.LineAsync(first.Name, "waiting");

        Assert.Equal(ResourceCommandResponseKind.Succeeded, (await application.CommandAsync(first, "stop")).Kind);
        var stopped = await application.ResourceAsync("server", r => r.State is "Finished" or "Exited");
        await application.LineAsync(first.Name, "stopping");
        Assert.False(Directory.Exists($"/proc/{ProcessId(first)}"));
        Assert.Equal(ResourceCommandState.Enabled, stopped.Commands.Single(c => c.Name == "start").State);

        Assert.Equal(ResourceCommandResponseKind.Succeeded, (await application.CommandAsync(first, "start")).Kind);
        var second = await application.ResourceAsync("server", r => r.State == "Running");
        Assert.Equal(ResourceCommandResponseKind.Succeeded, (await application.CommandAsync(first, "restart")).Kind);
        var third = await application.ResourceAsync("server", r => r.State == "Running" && ProcessId(r) != ProcessId(second));
        Assert.NotEqual(ProcessId(first), ProcessId(second));
        await application.LineAsync(first.Name, $"pid {ProcessId(third)}");

        var unknown = await application.CommandAsync(first, "explode");
        Assert.Equal((ResourceCommandResponseKind.Failed, "There is no command 'explode'."), (unknown.Kind, unknown.Message));
    }

    [Fact]
    public async Task Resource_KilledAfterReady_StaysDownUntilItIsStarted()
    {
        await using var application = RunningApplication.Start(builder => builder.AddScript("server", Scripts.Forever));
        await application.ReadyAsync();
        var running = await application.ResourceAsync("server", r => r.State == "Running");
        var refused = await application.CommandAsync(running, "start");
        Assert.Equal(ResourceCommandResponseKind.Failed, refused.Kind);
        Assert.EndsWith("cannot be started now: it is Running.", refused.Message, StringComparison.Ordinal);

        Process.GetProcessById(ProcessId(running)).Kill();

        var killed = await application.ResourceAsync("server", r => r.State == "Exited");
        Assert.NotEqual(0, killed.Properties.Single(p => p.Name == "resource.exitCode").Value.NumberValue);
        Assert.False(application.Run.IsCompleted);
        await application.CommandAsync(running, "start");
        await application.ResourceAsync("server", r => r.State == "Running");
    }

    [Fact]
    public async Task Job_ThatFails_EndsTheApplicationWithItsLastLines()
    {
        await using var application = RunningApplication.Start(builder =>
        {
            var job = builder.AddScript("migration", "echo step one; echo relation missing >&2; exit 3");
            builder.AddScript("other", Scripts.Forever);
            builder.AddScript("server", Scripts.Forever).WaitForCompletion(job);
        });

        await application.EndAsync();

        Assert.StartsWith("'migration' ended with 3; its last lines:", application.Failure, StringComparison.Ordinal);
        Assert.Contains("\n  step one", application.Failure, StringComparison.Ordinal);
        Assert.Contains("\n  relation missing", application.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Executable_ThatDoesNotExist_EndsTheApplicationByName()
    {
        await using var application = RunningApplication.Start(builder => builder.AddExecutable("ghost", "/no/such/file", "."));

        await application.EndAsync();

        Assert.StartsWith("'ghost' could not be started;", application.Failure, StringComparison.Ordinal);
        Assert.Contains("/no/such/file", application.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resource_NeverHealthy_EndsTheApplicationAtTheDeadline()
    {
        await using var application = RunningApplication.Start(
            builder =>
            {
                builder.Services.AddHealthChecks().AddCheck("database", () => HealthCheckResult.Unhealthy("no connection"));
                builder.AddScript("server", Scripts.Forever).WithHealthCheck("database");
            },
            timeoutSeconds: 8);

        await application.EndAsync();

        Assert.StartsWith("Not everything became ready within 8 s:\n  server: ", application.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Port_InUse_IsSaidBeforeAnythingStarts()
    {
        using var squatter = new TcpListener(System.Net.IPAddress.Loopback, 0);
        squatter.Start();
        var port = ((System.Net.IPEndPoint)squatter.LocalEndpoint).Port;
        await using var application = RunningApplication.Start(builder =>
            builder.AddScript("server", Scripts.Forever).WithHttpEndpoint(port, name: "http", isProxied: false));

        await application.EndAsync();

        Assert.Equal(
            $"Port {port} on 127.0.0.1 is in use, and the endpoint 'http' of 'server' needs it: "
            + "stop what listens there, or choose another port.",
            application.Failure);
    }

    [Fact]
    public void Port_AskedForByNumber_IsGivenToNobodyElse()
    {
        var ports = new Ports();
        var wanted = ports.Free() + 1;
        var builder = new DistributedApplicationBuilder([], Path.GetTempPath(), Repository.Layout);
        var first = builder.AddScript("first", Scripts.Forever).WithHttpEndpoint(name: "http");
        builder.AddScript("second", Scripts.Forever).WithHttpEndpoint(wanted, name: "http", isProxied: false);

        Plan.Make(builder.Resources, ports);

        Assert.NotEqual(wanted, first.GetEndpoint("http").Port);
    }

    [Fact]
    public async Task Replicas_ShareConnectionsThroughTheProxy()
    {
        var port = 0;
        await using var application = RunningApplication.Start(builder =>
        {
            var server = builder.AddScript("cache", "exec redis-server --bind 127.0.0.1 --port $PORT --save ''")
                .WithEndpoint(name: "tcp", env: "PORT");
            server.WithAnnotation(new ReplicaAnnotation(2));
            builder.Services.AddHealthChecks().AddAsyncCheck("ping", async _ =>
            {
                port = server.GetEndpoint("tcp").Port;
                return await RunIdAsync(port) is null ? HealthCheckResult.Unhealthy() : HealthCheckResult.Healthy();
            });
            server.WithHealthCheck("ping");
        });
        await application.ReadyAsync();

        var seen = new HashSet<string>();
        var clock = Stopwatch.StartNew();
        while (seen.Count < 2 && clock.Elapsed < TimeSpan.FromSeconds(60))
        {
            if (await RunIdAsync(port) is { } id) seen.Add(id);
        }

        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public async Task Stop_EndsDependentsFirstAndLeavesNoProcess()
    {
        var order = Path.GetTempFileName();
        var application = RunningApplication.Start(builder =>
        {
            string Noting(string name) => $"trap 'echo {name} >> {order}; exit 0' TERM; echo waiting; while :; do sleep 0.05; done";
            var server = builder.AddScript("server", Noting("server"));
            builder.AddScript("client", Noting("client")).WaitFor(server);
            builder.AddScript("stubborn", "trap '' TERM; echo waiting; while :; do sleep 0.05; done");
        }, dashboard: true);
        await application.ReadyAsync();
        var ids = new List<int>();
        foreach (var name in (string[])["server", "client", "stubborn"])
        {
            var running = await application.ResourceAsync(name, r => r.State == "Running");
            await application.LineAsync(running.Name, "waiting");
            ids.Add(ProcessId(running));
        }

        var clock = Stopwatch.StartNew();

        await application.DisposeAsync();

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(15), $"It took {clock.Elapsed.TotalSeconds:0.0} s.");
        Assert.Null(application.Failure);
        Assert.All(ids, id => Assert.False(Directory.Exists($"/proc/{id}")));
        Assert.Equal(["client", "server"], await File.ReadAllLinesAsync(order));
        File.Delete(order);
    }

    private static int ProcessId(Aspire.Hosting.Dashboard.V1.Resource resource) =>
        (int)resource.Properties.Single(p => p.Name == "executable.pid").Value.NumberValue;

    private static async Task<string?> RunIdAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(System.Net.IPAddress.Loopback, port);
            await client.GetStream().WriteAsync("INFO server\r\n"u8.ToArray());
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("run_id:", StringComparison.Ordinal)) return line;
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // No replica behind the proxy yet.
        }

        return null;
    }

    /// <summary>Sends a span as the resource would, and reads it back from the dashboard under the resource's name.</summary>
    private static async Task AssertTelemetryIsLinkedAsync(RunningApplication application, string resourceName)
    {
        var (service, instance) = (resourceName[..resourceName.LastIndexOf('-')], resourceName[(resourceName.LastIndexOf('-') + 1)..]);
        object Attribute(string key, string value) => new { key, value = new { stringValue = value } };
        object[] Attributes() => [Attribute("service.name", service), Attribute("service.instance.id", instance)];
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        using var http = new HttpClient();
        var span = new
        {
            traceId = "0af7651916cd43dd8448eb211c80319c",
            spanId = "b7ad6b7169203331",
            name = "GET /greeting",
            kind = 2,
            startTimeUnixNano = $"{now}000000",
            endTimeUnixNano = $"{now + 5}000000",
        };
        using var sent = await http.PostAsJsonAsync(new Uri(application.Otlp, "/v1/traces"), new
        {
            resourceSpans = new[]
            {
                new
                {
                    resource = new { attributes = Attributes() },
                    scopeSpans = new[] { new { scope = new { name = "test" }, spans = new[] { span } } },
                },
            },
        });
        Assert.True(sent.IsSuccessStatusCode, $"OTLP answered {sent.StatusCode}");

        var resources = await http.GetStringAsync(new Uri(application.Dashboard!, "/api/telemetry/resources"));
        Assert.Contains($"\"{instance}\"", resources, StringComparison.Ordinal);
        var traces = await http.GetStringAsync(new Uri(application.Dashboard!, $"/api/telemetry/traces?resource={service}"));
        Assert.Contains("GET /greeting", traces, StringComparison.Ordinal);
    }
}
