using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>The gateway and services as processes on fresh databases of the test servers.</summary>
internal sealed class BenchmarkSuite : IAsyncDisposable
{
    private static readonly string[] Services = ["capture", "scoring", "nurture", "conversion", "retention"];

    private readonly Dictionary<string, TestDatabase> databases = [];
    private readonly List<ServiceProcess> processes = [];
    private readonly TestVirtualHost broker;
    private readonly TestRedis redis;
    private IReadOnlyDictionary<string, int> standIns = new Dictionary<string, int>();
    private readonly string adminKey = Convert.ToHexStringLower(Guid.CreateVersion7().ToByteArray()) + "-administrator";

    private BenchmarkSuite(TestVirtualHost broker, TestRedis redis) => (this.broker, this.redis) = (broker, redis);

    /// <summary>REST address of the gateway.</summary>
    public Uri Gateway { get; private set; } = new("http://127.0.0.1");

    /// <summary>gRPC address of the gateway.</summary>
    public Uri GatewayGrpc { get; private set; } = new("http://127.0.0.1");

    public TestRedis Redis => redis;

    public TestVirtualHost Broker => broker;

    /// <summary>A workspace's secret key with every right.</summary>
    public string Key { get; private set; } = "";

    public Guid WorkspaceId { get; private set; }

    /// <summary>Database of a service, by schema.</summary>
    public TestDatabase Database(string schema) => databases[schema];

    /// <summary>A started process, by name: <c>Capture</c>, <c>Gateway</c>.</summary>
    public ServiceProcess Process(string name) => processes.Single(process => process.Name == name);

    public IReadOnlyList<ServiceProcess> Processes => processes;

    /// <summary>Starts the gateway before the named services; the others stay down.</summary>
    public static Task<BenchmarkSuite> Start(params string[] services) => Start(new Dictionary<string, int>(), services);

    /// <summary>As above, one service with settings of its own.</summary>
    public static Task<BenchmarkSuite> Start(string service, Dictionary<string, string> settings) =>
        Start(new Dictionary<string, int>(), settings, service);

    /// <summary>As above; what answers in the place of other services is given by its port.</summary>
    public static Task<BenchmarkSuite> Start(IReadOnlyDictionary<string, int> standIns, params string[] services) =>
        Start(standIns, [], services);

    private static async Task<BenchmarkSuite> Start(
        IReadOnlyDictionary<string, int> standIns, Dictionary<string, string> settings, params string[] services)
    {
        var suite = new BenchmarkSuite(await TestVirtualHost.Create(), await TestRedis.Start()) { standIns = standIns };
        try
        {
            foreach (var service in services)
            {
                await suite.Launch(CultureInfo.InvariantCulture.TextInfo.ToTitleCase(service), service, settings);
            }

            await suite.StartGateway();
            return suite;
        }
        catch
        {
            await suite.DisposeAsync();
            throw;
        }
    }

    /// <summary>An HTTP client of the gateway with the workspace's key.</summary>
    public HttpClient Client()
    {
        var client = new HttpClient { BaseAddress = Gateway, Timeout = TimeSpan.FromMinutes(10) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        foreach (var database in databases.Values)
        {
            await database.DisposeAsync();
        }

        await redis.DisposeAsync();
        await broker.DisposeAsync();
    }

    /// <summary>Peak resident memory of a process so far, MB of 10^6 bytes.</summary>
    public static double PeakMegabytes(ServiceProcess process) => Status(process, "VmHWM:");

    /// <summary>Resident memory of a process now, MB of 10^6 bytes.</summary>
    public static double Megabytes(ServiceProcess process) => Status(process, "VmRSS:");

    /// <summary>Processor time of a process so far, seconds.</summary>
    public static double ProcessorSeconds(ServiceProcess process)
    {
        using var found = System.Diagnostics.Process.GetProcessById(process.Id);
        return found.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>Processor time of Postgres' sessions in a database so far, seconds; 0 where Postgres runs on another machine.</summary>
    public static async Task<double> PostgresSeconds(TestDatabase database)
    {
        var ticks = 0L;
        foreach (var row in await database.Query(
            "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"))
        {
            var file = $"/proc/{row[0]}/stat";
            if (File.Exists(file) && await File.ReadAllTextAsync(file) is var text && text.Contains("(postgres)", StringComparison.Ordinal))
            {
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                ticks += long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            }
        }

        return ticks / 100.0;
    }

    private static double Status(ServiceProcess process, string field) =>
        File.ReadLines($"/proc/{process.Id}/status").Where(line => line.StartsWith(field, StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024
                / 1e6).Single();

    private async Task StartGateway()
    {
        var ports = FreePorts.Find(2);
        var environment = new Dictionary<string, string>
        {
            ["GATEWAY_HTTP_PORT"] = $"{ports[0]}",
            ["GATEWAY_GRPC_PORT"] = $"{ports[1]}",
            ["LIFECYCLE_ADMIN_KEY"] = adminKey,
            // One key sends all the load here; in production each has its own measure.
            ["Gateway__KeyRequestsPerSecond"] = "1000000",
            ["Gateway__KeyBurst"] = "1000000",
        };
        var nobody = FreePorts.Find(1)[0];
        foreach (var service in Services)
        {
            var started = processes.SingleOrDefault(process => string.Equals(process.Name, service, StringComparison.OrdinalIgnoreCase));
            environment[$"services__{service}__grpc__0"] =
                $"http://127.0.0.1:{started?.GrpcPort ?? standIns.GetValueOrDefault(service, nobody)}";
        }

        await Launch("Gateway", "gateway", environment);
        (Gateway, GatewayGrpc) = (new($"http://127.0.0.1:{ports[0]}"), new($"http://127.0.0.1:{ports[1]}"));
        using var client = new HttpClient { BaseAddress = Gateway };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", adminKey);
        var workspace = await Post(
            client, "/v1/workspaces", new { displayName = "Benchmark", timeZone = "Europe/Berlin", currencyCode = "EUR" });
        WorkspaceId = Guid.Parse(workspace["id"]!.GetValue<string>());
        Key = (await Post(
            client, "/v1/keys",
            new { workspaceId = WorkspaceId, kind = "SECRET", scopes = new[] { "admin" }, displayName = "benchmark" }))["key"]!
            .GetValue<string>();
        foreach (var (schema, database) in databases)
        {
            await Eventually.Equal(
                1L, () => database.Scalar<long>("select count(*) from workspace where time_zone = 'Europe/Berlin'")!,
                $"{schema} knows the workspace");
        }
    }

    private static async Task<JsonNode> Post(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(text)!
            : throw new InvalidOperationException($"{path}: {(int)response.StatusCode} {text}");
    }

    private async Task Launch(string name, string schema, Dictionary<string, string> more)
    {
        var database = await TestDatabase.CreateEmpty(schema);
        databases.Add(schema, database);
        var environment = ServiceEnvironment.For(database, broker, redis);
        environment["Logging__LogLevel__Default"] = "Warning";
        environment["ConnectionStrings__mail"] = "smtp://127.0.0.1:1";
        foreach (var (key, value) in more)
        {
            environment[key] = value;
        }

        foreach (var service in Services.Where(service => !more.ContainsKey($"services__{service}__grpc__0")))
        {
            environment[$"services__{service}__grpc__0"] = "http://127.0.0.1:1";
        }

        var migration = ServiceProcess.Create(name, new Dictionary<string, string>(environment)
        {
            ["ConnectionStrings__lifecycle"] = database.AdministratorConnectionString,
        });
        await using (migration)
        {
            if (await migration.RunToEnd("--migrate") != 0)
            {
                throw new InvalidOperationException($"{name} could not migrate:\n{string.Join('\n', migration.Output)}");
            }
        }

        var process = ServiceProcess.Create(name, environment);
        processes.Add(process);
        await process.Start();
    }
}
