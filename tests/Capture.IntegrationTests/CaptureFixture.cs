using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Capture.IntegrationTests;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Testing;

[assembly: AssemblyFixture(typeof(CaptureFixture))]

namespace Capture.IntegrationTests;

/// <summary>The service as one process with its database and broker, shared by the tests; each test has workspaces of its own.</summary>
public sealed class CaptureFixture : IAsyncLifetime
{
    private TestDatabase? database;
    private TestVirtualHost? broker;
    private ServiceProcess? service;
    private TestBus? bus;

    public TestDatabase Database => database!;

    public TestVirtualHost Broker => broker!;

    public ServiceProcess Service => service!;

    public TestBus Bus => bus!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<CaptureDbContext>("capture");
        broker = await TestVirtualHost.Create();
        service = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await service.Start();
        bus = await TestBus.Start(
            broker, typeof(LeadCaptured), typeof(LeadUpdated), typeof(ActivitiesRecorded), typeof(SessionStarted), typeof(LeadsMerged),
            typeof(LeadErased), typeof(SpendRecorded));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { bus, service, broker, database })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    /// <summary>A workspace of its own.</summary>
    public CaptureClient Workspace(string timeZone = "UTC", string currencyCode = "USD") =>
        new(Service, Guid.CreateVersion7(TimeProvider.System.GetUtcNow()), timeZone, currencyCode);
}

/// <summary>Calls the service by REST as the gateway does, for one workspace.</summary>
public sealed class CaptureClient(ServiceProcess service, Guid workspaceId, string timeZone, string currencyCode)
{
    private static readonly HttpClient Http = new();

    public Guid WorkspaceId => workspaceId;

    /// <summary>The same workspace through another process.</summary>
    public CaptureClient Through(ServiceProcess other) => new(other, workspaceId, timeZone, currencyCode);

    public Task<(HttpStatusCode Status, JsonNode Body)> Get(string path) => Send(HttpMethod.Get, path, null);

    public Task<(HttpStatusCode Status, JsonNode Body)> Post(string path, object body) =>
        Send(HttpMethod.Post, path, JsonContent.Create(body));

    public async Task<(HttpStatusCode Status, JsonNode Body)> Send(
        HttpMethod method, string path, HttpContent? content, string[]? scopes = null, string? requestId = null,
        (string Name, string Value)[]? headers = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(service.Http, path)) { Content = content };
        foreach (var (name, value) in headers ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspaceId, timeZone, currencyCode, scopes ?? []));
        if (requestId is not null)
        {
            request.Headers.Add("Idempotency-Key", requestId);
        }

        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, JsonNode.Parse(text.Length == 0 ? "{}" : text)!);
    }

    /// <summary>Sends messages and expects all of them to be accepted.</summary>
    public async Task Batch(params object[] messages)
    {
        var (status, body) = await Post("/v1/batch", new { batch = messages });
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(messages.Length, body["accepted"]!.GetValue<int>());
    }

    public async Task<JsonNode> Import(string path, string text, string contentType = "text/csv")
    {
        var (status, body) = await Send(HttpMethod.Post, path, new StringContent(text, Encoding.UTF8, contentType));
        Assert.Equal(HttpStatusCode.OK, status);
        return body;
    }

    /// <summary>A metric's values in order of time; null where there is none.</summary>
    public async Task<double?[]> Metric(string metric, string from, string to, string granularity = "MONTH", string? group = null)
    {
        var by = group?.Split('=');
        var (status, body) = await Get($"/v1/metrics/capture?from={from}&to={to}&granularity={granularity}&metrics={metric}"
            + (by is null ? "" : $"&groupBy={by[0]}"));
        Assert.Equal(HttpStatusCode.OK, status);
        var series = body["series"]!.AsArray().SingleOrDefault(one => by is null || one!["group"]![by[0]]!.GetValue<string>() == by[1]);
        return series is null ? [] : series["points"]!.AsArray().Select(point => point!["value"]?.GetValue<double>()).ToArray();
    }
}
