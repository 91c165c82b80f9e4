using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Storage;
using Lifecycle.Conversion.Storage;
using Lifecycle.Gateway.Storage;
using Lifecycle.Retention.Storage;
using Lifecycle.Testing;
using Retention.IntegrationTests;

[assembly: AssemblyFixture(typeof(GatewaySuite))]

namespace Retention.IntegrationTests;

/// <summary>
/// The real gateway before Capture, Conversion and Retention, as processes of their own on one broker. Scoring and Nurture are down.
/// </summary>
public sealed class GatewaySuite : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> parts = [];
    private readonly SemaphoreSlim starting = new(1);
    private TestGateway? gateway;

    public TestDatabase Database { get; private set; } = null!;

    /// <summary>Nothing: who needs none of it does not wait for it.</summary>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A workspace made through the gateway, with a key for all three services.</summary>
    public async Task<GatewayWorkspace> NewWorkspace()
    {
        await starting.WaitAsync();
        try
        {
            gateway ??= await Start();
        }
        finally
        {
            starting.Release();
        }

        var scopes = new[] { "capture", "conversion", "retention" }.SelectMany(service => new[] { $"{service}:read", $"{service}:write" });
        return new(await gateway.NewWorkspace([.. scopes, "metrics:read"]));
    }

    /// <inheritdoc cref="TestGateway.Follow"/>
    public Task<(int Status, string? Location)> Follow(Uri url, string userAgent, HttpMethod? method = null) =>
        gateway!.Follow(url, userAgent, method);

    public async ValueTask DisposeAsync()
    {
        starting.Dispose();
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.DisposeAsync();
        }
    }

    private async Task<TestGateway> Start()
    {
        var broker = Keep(await TestVirtualHost.Create());
        var made = new TestGateway(await TestDatabase.Create<GatewayDbContext>("gateway"), broker);
        var captures = Keep(await TestDatabase.Create<CaptureDbContext>("capture"));
        var conversions = Keep(await TestDatabase.Create<ConversionDbContext>("conversion"));
        Database = Keep(await TestDatabase.Create<RetentionDbContext>(RetentionDbContext.SchemaName));
        var capture = Keep(ServiceProcess.Create("Capture", ServiceEnvironment.For(captures, broker)));
        var environment = ServiceEnvironment.For(conversions, broker);
        environment["services__capture__grpc__0"] = capture.Grpc.ToString();
        (environment["services__scoring__grpc__0"], environment["services__nurture__grpc__0"]) = (made.Nobody, made.Nobody);
        var conversion = Keep(ServiceProcess.Create("Conversion", environment));
        environment = ServiceEnvironment.For(Database, broker);
        (environment["services__capture__grpc__0"], environment["services__conversion__grpc__0"]) = (
            capture.Grpc.ToString(), conversion.Grpc.ToString());
        (environment["services__scoring__grpc__0"], environment["services__nurture__grpc__0"]) = (made.Nobody, made.Nobody);
        environment["Retention__PublicBaseUrl"] = made.Address.ToString();
        var retention = Keep(ServiceProcess.Create("Retention", environment));
        await Task.WhenAll(capture.Start(), conversion.Start(), retention.Start());
        await Keep(made).Start(capture, conversion, retention);
        return made;
    }

    private T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        parts.Add(part);
        return part;
    }
}

/// <summary>One workspace, called through the gateway only.</summary>
public sealed class GatewayWorkspace(GatewayClient client)
{
    /// <summary>What the machine may take at its busiest.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public Guid Id => client.WorkspaceId;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public Task<JsonNode> Get(string path) => client.Get(path);

    public Task<JsonNode> Post(string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK) =>
        Call(HttpMethod.Post, path, body ?? "{}", expected);

    public Task<JsonNode> Call(HttpMethod method, string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK) =>
        client.Ask(method, path, body, status: (int)expected);

    public async Task<int> Status(string path) => (await client.Call(HttpMethod.Get, path)).Status;

    public Task<string> Csv(string path) => client.Csv(path);

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
            () => Post("/v1/opportunities", new { leadId, name = "Deal", amount = new { currencyCode = "USD", amount } }),
            "the opportunity", Patience);
        await Post($"/v1/opportunities/{opportunity["id"]}:win");
    }

    public Task<JsonNode> CustomerOf(string leadId) =>
        One($"/v1/customers?filter={Uri.EscapeDataString($"leadId = \"{leadId}\"")}", "customers", "the lead's customer");

    public Task<JsonNode> LeadOf(string email) =>
        One($"/v1/leads?filter={Uri.EscapeDataString($"email = \"{email}\"")}", "leads", "the lead");
}
