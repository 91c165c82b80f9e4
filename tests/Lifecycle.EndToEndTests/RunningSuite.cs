using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Aspire.Hosting.Dashboard.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Testing;

namespace Lifecycle.EndToEndTests;

/// <summary>
/// The whole stack as <c>./up</c> runs it, from the AppHost, on ports and data of its own: one for all tests of the assembly, which each
/// open workspaces of their own. Set-up comes before: this starts what was built.
/// </summary>
public sealed class RunningSuite : IAsyncLifetime
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);

    private readonly string data = Directory.CreateTempSubdirectory("lifecycle-e2e-").FullName;
    private readonly ConcurrentQueue<string> output = [];
    private readonly TaskCompletionSource<JsonNode> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string adminKey = $"lk_{RandomNumberGenerator.GetHexString(48, lowercase: true)}";
    private readonly string rabbitMqPassword = RandomNumberGenerator.GetHexString(24);
    private readonly HttpClient browser = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly int[] ports = FreePorts.Find(6);
    private readonly int nativePorts = FindRange(6);
    private Process? appHost;
    private GrpcChannel? resources;

    public Uri Gateway => new($"http://localhost:{ports[0]}");

    public Uri GatewayGrpc => new($"http://localhost:{ports[1]}");

    public Uri Dashboard => new($"http://localhost:{ports[2]}");

    /// <summary><c>amqp://</c> address for subscribers.</summary>
    public string Broker => $"amqp://lifecycle:{rabbitMqPassword}@127.0.0.1:{nativePorts + 2}";

    /// <summary>The broker's management API.</summary>
    public Uri BrokerManagement => new($"http://127.0.0.1:{nativePorts + 3}");

    /// <summary>Npgsql string of the database, as a service's role.</summary>
    public string Database(string schema) =>
        $"Host=127.0.0.1;Port={nativePorts};Database=lifecycle;Username={schema}_app;Password={DatabasePassword};Pooling=false";

    private string DatabasePassword { get; } = RandomNumberGenerator.GetHexString(24);

    public async ValueTask InitializeAsync()
    {
        // Names the servers that are missing, where set-up has not run.
        _ = TestServers.Postgres;
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var library = Path.Combine(Repository.Root, "AppHost", "bin", configuration, "net10.0", "AppHost.dll");
        var start = new ProcessStartInfo("dotnet", [library])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root
        };
        foreach (var (name, value) in Environment())
        {
            start.Environment[name] = value;
        }

        appHost = Process.Start(start)!;
        appHost.EnableRaisingEvents = true;
        appHost.Exited += (_, _) => ready.TrySetException(new InvalidOperationException($"The AppHost ended:\n{Tail()}"));
        appHost.OutputDataReceived += (_, e) => Read(e.Data);
        appHost.ErrorDataReceived += (_, e) => Read(e.Data);
        appHost.BeginOutputReadLine();
        appHost.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(StartPatience);
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"The stack was not ready within {StartPatience.TotalMinutes} minutes:\n{Tail()}");
        }

        resources = GrpcChannel.ForAddress($"http://localhost:{ports[5]}");
    }

    public async ValueTask DisposeAsync()
    {
        resources?.Dispose();
        browser.Dispose();
        if (appHost is { HasExited: false })
        {
            using (var kill = Process.Start("kill", ["-TERM", $"{appHost.Id}"]))
            {
                await kill.WaitForExitAsync();
            }

            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40));
            await appHost.WaitForExitAsync(patience.Token);
        }

        appHost?.Dispose();
        await Testing.Eventually.Passes(
            () =>
            {
                Directory.Delete(data, recursive: true);
                return Task.CompletedTask;
            },
            "the data folder goes");
    }

    public Api Client(string? key) => new(Gateway, key);

    public Api Admin() => Client(adminKey);

    /// <summary>HTML of the mail that the mail server took for the address; null while there is none.</summary>
    public async Task<string?> FindMail(string address)
    {
        var mails = JsonNode.Parse(await browser.GetStringAsync(new Uri($"http://127.0.0.1:{nativePorts + 5}/email")))!.AsArray();
        return mails.FirstOrDefault(mail => mail!["to"]!.AsArray().Any(to => to!.Text("address") == address))?.Text("html");
    }

    /// <summary>Asks for a link of a mail as a client of that name; answers where it leads, if it redirects.</summary>
    public async Task<string?> Follow(string path, string userAgent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Gateway, path));
        request.Headers.UserAgent.ParseAdd(userAgent);
        using var response = await browser.SendAsync(request);
        Assert.True((int)response.StatusCode < 400, $"GET {path}: {(int)response.StatusCode}");
        return response.Headers.Location?.ToString();
    }

    /// <summary>Spans of a trace as the dashboard's API tells them; null while it has none.</summary>
    public async Task<JsonNode?> Trace(string traceId)
    {
        using var response = await browser.GetAsync(new Uri(Dashboard, $"/api/telemetry/traces/{traceId}"));
        return response.IsSuccessStatusCode ? JsonNode.Parse(await response.Content.ReadAsStringAsync()) : null;
    }

    /// <summary>SIGKILL: the service gets no chance to finish anything.</summary>
    public async Task Kill(string resource)
    {
        var pid = (int)(await Find(resource)).Properties.Single(property => property.Name == "executable.pid").Value.NumberValue;
        using var process = Process.GetProcessById(pid);
        process.Kill();
        await process.WaitForExitAsync();
        await Eventually.True($"{resource} seen to have ended", async () => (await Find(resource)).State != "Running");
    }

    public Task StartResource(string resource) => Command(resource, "start");

    public Task RestartResource(string resource) => Command(resource, "restart");

    public async Task EmptyRedis()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", nativePorts + 1);
        await client.GetStream().WriteAsync("FLUSHALL\r\n"u8.ToArray());
        var answer = new byte[5];
        await client.GetStream().ReadExactlyAsync(answer);
        Assert.Equal("+OK\r\n", Encoding.ASCII.GetString(answer));
    }

    private async Task Command(string resource, string command)
    {
        var client = new DashboardService.DashboardServiceClient(resources);
        var found = await Find(resource);
        var response = await client.ExecuteResourceCommandAsync(
            new() { CommandName = command, ResourceName = found.Name, ResourceType = found.ResourceType });
        Assert.True(response.Kind == ResourceCommandResponseKind.Succeeded, $"{command} {resource}: {response.Message}");
    }

    private async Task<Resource> Find(string resource)
    {
        var client = new DashboardService.DashboardServiceClient(resources);
        using var watch = client.WatchResources(new());
        Assert.True(await watch.ResponseStream.MoveNext());
        return watch.ResponseStream.Current.InitialData.Resources.Single(one => one.DisplayName == resource);
    }

    private Dictionary<string, string> Environment() => new()
    {
        ["LIFECYCLE_INFRA"] = "native",
        ["LIFECYCLE_DATA"] = data,
        ["LIFECYCLE_NATIVE_PORTS"] = $"{nativePorts}",
        ["DOTNET_ENVIRONMENT"] = "Development",
        ["Gateway__HttpPort"] = $"{ports[0]}",
        ["Gateway__GrpcPort"] = $"{ports[1]}",
        ["ASPNETCORE_URLS"] = $"http://localhost:{ports[2]}",
        ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{ports[3]}",
        ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = $"http://localhost:{ports[4]}",
        ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{ports[5]}",
        ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
        ["DOTNET_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true",
        ["Parameters__PostgresPassword"] = RandomNumberGenerator.GetHexString(24),
        ["Parameters__RabbitMqPassword"] = rabbitMqPassword,
        ["Parameters__DatabasePassword"] = DatabasePassword,
        ["Parameters__IdentitySecret"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
        ["Parameters__AdminKey"] = adminKey,
    };

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        output.Enqueue(line);
        if (line.StartsWith("ready {", StringComparison.Ordinal))
        {
            ready.TrySetResult(JsonNode.Parse(line["ready ".Length..])!);
        }
    }

    private string Tail() => string.Join('\n', output.TakeLast(60));

    /// <summary>First of so many ports in a row that nobody listens on, below those that the AppHost gives out itself.</summary>
    private static int FindRange(int count)
    {
        for (var first = 18000; first < 18880; first += 10)
        {
            var listeners = new List<TcpListener>();
            try
            {
                for (var port = first; port < first + count; port++)
                {
                    var listener = new TcpListener(System.Net.IPAddress.Loopback, port);
                    listener.Start();
                    listeners.Add(listener);
                }

                return first;
            }
            catch (SocketException)
            {
                // Taken; the next range.
            }
            finally
            {
                listeners.ForEach(listener => listener.Dispose());
            }
        }

        throw new InvalidOperationException("No six ports in a row are free between 18000 and 18880.");
    }
}
