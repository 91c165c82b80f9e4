using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Testing;
using Retention.IntegrationTests;

[assembly: AssemblyFixture(typeof(GatewaySuite))]

namespace Retention.IntegrationTests;

/// <summary>The real gateway before Capture, Conversion and Retention, as processes of their own on one broker. Scoring and Nurture are down.</summary>
public sealed class GatewaySuite : IAsyncLifetime
{
    private const string AdminKey = "the-administrators-key-of-the-tests";

    private readonly List<IAsyncDisposable> parts = [];
    private readonly HttpClient http = new(new HttpClientHandler { AllowAutoRedirect = false });
    private readonly SemaphoreSlim starting = new(1);
    private bool isStarted;

    /// <summary>Address of the gateway; links of Retention begin with it.</summary>
    public Uri Address { get; private set; } = null!;

    public TestDatabase Database { get; private set; } = null!;

    /// <summary>Nothing: who needs none of it does not wait for it.</summary>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A workspace made through the gateway, with a key for all three services.</summary>
    public async Task<GatewayWorkspace> NewWorkspace()
    {
        await starting.WaitAsync();
        try
        {
            if (!isStarted)
            {
                await Start();
                isStarted = true;
            }
        }
        finally
        {
            starting.Release();
        }

        var id = (string)(await Send(HttpMethod.Post, "/v1/workspaces", AdminKey, new { displayName = "Acme", timeZone = "UTC", currencyCode = "USD" }))["id"]!;
        var scopes = new[] { "capture", "conversion", "retention" }.SelectMany(service => new[] { $"{service}:read", $"{service}:write" }).Append("metrics:read").ToArray();
        var key = (string)(await Send(HttpMethod.Post, "/v1/keys", AdminKey, new { workspaceId = id, kind = "SECRET", scopes }))["key"]!;
        return new(this, Guid.Parse(id), key);
    }

    /// <summary>Follows a public link as this program; the answer's status and where it leads.</summary>
    public async Task<(int Status, string? Location)> Follow(Uri url, string userAgent, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        using var response = await http.SendAsync(request);
        return ((int)response.StatusCode, response.Headers.Location?.OriginalString);
    }

    internal async Task<HttpStatusCode> Status(string path, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await http.SendAsync(request);
        return response.StatusCode;
    }

    internal async Task<JsonNode> Send(HttpMethod method, string path, string key, object? body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var text = await Text(method, path, key, body, null, expected);
        return JsonNode.Parse(text)!;
    }

    internal async Task<string> Text(HttpMethod method, string path, string key, object? body, string? accept, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(method, new Uri(Address, path))
        {
            Content = body switch { null => null, HttpContent given => given, _ => JsonContent.Create(body) },
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (accept is not null)
        {
            request.Headers.Accept.ParseAdd(accept);
        }

        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{method} {path}: {(int)response.StatusCode} {text}");
        Assert.True(accept is null || response.Content.Headers.ContentType?.MediaType == accept, $"{method} {path}: {response.Content.Headers.ContentType}");
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        starting.Dispose();
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.DisposeAsync();
        }
    }

    private async Task Start()
    {
        var broker = Keep(await TestVirtualHost.Create());
        var ports = FreePorts.Find(3);
        var addresses = new Dictionary<string, string> { ["scoring"] = $"http://127.0.0.1:{ports[2]}", ["nurture"] = $"http://127.0.0.1:{ports[2]}" };
        Address = new Uri($"http://127.0.0.1:{ports[0]}");
        foreach (var name in new[] { "Capture", "Conversion", "Retention", "Gateway" })
        {
            var database = Keep(await TestDatabase.CreateEmpty(name.ToLowerInvariant()));
            var environment = ServiceEnvironment.For(database, broker);
            foreach (var (service, address) in addresses)
            {
                environment[$"services__{service}__grpc__0"] = address;
            }

            environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
            environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
            environment["LIFECYCLE_ADMIN_KEY"] = AdminKey;
            environment["Retention__PublicBaseUrl"] = Address.ToString();
            var migration = new Dictionary<string, string>(environment) { ["ConnectionStrings__lifecycle"] = database.AdministratorConnectionString };
            await using (var migrating = ServiceProcess.Create(name, migration))
            {
                Assert.Equal(0, await migrating.RunToEnd("--migrate"));
            }

            var process = Keep(ServiceProcess.Create(name, environment));
            await process.Start();
            addresses[name.ToLowerInvariant()] = process.Grpc.ToString();
            Database = name == "Retention" ? database : Database;
        }
    }

    private T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        parts.Add(part);
        return part;
    }
}

/// <summary>One workspace, called through the gateway only.</summary>
public sealed class GatewayWorkspace(GatewaySuite suite, Guid id, string key)
{
    /// <summary>What the machine may take at its busiest.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public Guid Id => id;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public Task<JsonNode> Get(string path) => suite.Send(HttpMethod.Get, path, key, null);

    public Task<JsonNode> Post(string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK) => suite.Send(HttpMethod.Post, path, key, body ?? new { }, expected);

    public Task<JsonNode> Call(HttpMethod method, string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK) => suite.Send(method, path, key, body, expected);

    public Task<HttpStatusCode> Status(string path) => suite.Status(path, key);

    public Task<string> Csv(string path) => suite.Text(HttpMethod.Get, path, key, null, "text/csv");

    public static Task Until<T>(T expected, Func<Task<T>> actual, string what) => Eventually.Equal(expected, actual, what, Patience);

    /// <summary>The one of a list; waits until it is there.</summary>
    public Task<JsonNode> One(string path, string list, string what) => Eventually.Passes(
        async () => Assert.Single((await Get(path))[list]?.AsArray() ?? [])!, what, Patience);

    /// <summary>A lead that bought for so much; its customer in Retention.</summary>
    public async Task<(string LeadId, JsonNode Customer)> Customer(string email, string amount)
    {
        var lead = (string)(await Post("/v1/leads", new { email }))["id"]!;
        await Win(lead, amount);
        return (lead, await CustomerOf(lead));
    }

    public async Task Win(string leadId, string amount)
    {
        // Conversion knows a lead a moment after Capture does.
        var opportunity = await Eventually.Passes(
            () => Post("/v1/opportunities", new { leadId, name = "Deal", amount = new { currencyCode = "USD", amount } }), "the opportunity", Patience);
        await Post($"/v1/opportunities/{opportunity["id"]}:win");
    }

    public Task<JsonNode> CustomerOf(string leadId) =>
        One($"/v1/customers?filter={Uri.EscapeDataString($"leadId = \"{leadId}\"")}", "customers", "the lead's customer");

    public Task<JsonNode> LeadOf(string email) => One($"/v1/leads?filter={Uri.EscapeDataString($"email = \"{email}\"")}", "leads", "the lead");
}
