using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Storage;
using Lifecycle.Testing;

[assembly: AssemblyFixture(typeof(Lifecycle.Conversion.IntegrationTests.ConversionFixture))]

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>The service as a process on real servers, shared by the tests; each test has a workspace of its own.</summary>
public sealed class ConversionFixture : IAsyncDisposable
{
    private readonly Lazy<Task> started;

    public ConversionFixture() => started = new(Start);

    /// <summary>Set once everything runs. Awaited by each test, so that a missing server skips the test instead of failing the
    /// run.</summary>
    public Task Started => started.Value;

    public TestDatabase Database { get; private set; } = null!;

    public TestVirtualHost Broker { get; private set; } = null!;

    public TestBus Bus { get; private set; } = null!;

    public FakeCapture Capture { get; private set; } = null!;

    public ServiceProcess Service { get; private set; } = null!;

    private async Task Start()
    {
        Database = await TestDatabase.Create<ConversionDbContext>("conversion");
        Broker = await TestVirtualHost.Create();
        Bus = await TestBus.Start(
            Broker, typeof(LeadStageChanged), typeof(OpportunityChanged), typeof(RevenueBooked), typeof(LeadReturned),
                typeof(HandoffOverdue),
            typeof(LeadErasureConfirmed));
        Capture = new FakeCapture(FreePorts.Find(1)[0]);
        await Capture.Start();
        Service = ServiceProcess.Create("Conversion", Environment());
        await Service.Start();
    }

    /// <summary>The environment of another replica of the service.</summary>
    public Dictionary<string, string> Environment()
    {
        var environment = ServiceEnvironment.For(Database, Broker);
        environment["services__capture__grpc__0"] = Capture.Address;
        environment["Conversion__JourneyPollSeconds"] = "1";
        environment["Conversion__HandoffPollSeconds"] = "1";
        environment["Conversion__CrmPollSeconds"] = "1";
        environment["Webhooks__PollSeconds"] = "1";
        // The other side runs in the tests' process: where that stands still for a while, no call may count as failed and be made again.
        environment["Webhooks__TimeoutSeconds"] = "90";
        environment["Webhooks__AllowedNetworks__0"] = "127.0.0.0/8";
        return environment;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { Service, Capture, Bus, Broker, Database })
        {
            await (part?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }
}

/// <summary>A test of the service: begins when the service runs.</summary>
public abstract class ConversionTest(ConversionFixture fixture) : IAsyncLifetime
{
    protected ConversionFixture Fixture => fixture;

    public async ValueTask InitializeAsync() => await fixture.Started;

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>One workspace of the service under test: its API and its events.</summary>
public sealed class TestWorkspace(ConversionFixture fixture, string timeZone = "UTC", string currencyCode = "USD")
{
    private static readonly HttpClient Client = new();

    public Guid Id { get; } = Guid.CreateVersion7();

    public TestBus Bus => fixture.Bus;

    /// <summary>As the gateway announces it; jobs find the workspace by it.</summary>
    public Task Announce() => Bus.Publish(new WorkspaceUpdated(Guid.CreateVersion7(), Id, Times.Now, 1, "Test", timeZone, currencyCode));

    public Task<JsonObject> Get(string path, HttpStatusCode expected = HttpStatusCode.OK) => Send(HttpMethod.Get, path, null, expected);

    public Task<JsonObject> Post(string path, object body, HttpStatusCode expected = HttpStatusCode.OK, string? key = null) =>
        Send(HttpMethod.Post, path, JsonContent.Create(body), expected, key);

    /// <summary>
    /// As <see cref="Post"/>, of a lead that the service has to ask Capture for: where Capture takes its time, it wants to be asked again.
    /// </summary>
    public async Task<JsonObject> PostOfStranger(string path, object body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var (status, text) = await Eventually.Passes(
            async () => await Ask(HttpMethod.Post, path, JsonContent.Create(body)) is var answer
                && answer.Status != HttpStatusCode.ServiceUnavailable
                ? answer
                : throw new InvalidOperationException("it is not available"),
            "Capture has answered");
        return Answer(HttpMethod.Post, path, expected, status, text);
    }

    public Task<JsonObject> Patch(string path, object body, HttpStatusCode expected = HttpStatusCode.OK) =>
        Send(HttpMethod.Patch, path, JsonContent.Create(body), expected);

    public Task<JsonObject> Put(string path, object body, HttpStatusCode expected = HttpStatusCode.OK) =>
        Send(HttpMethod.Put, path, JsonContent.Create(body), expected);

    public Task<JsonObject> Delete(string path, HttpStatusCode expected = HttpStatusCode.OK) =>
        Send(HttpMethod.Delete, path, null, expected);

    public Task<JsonObject> Import(string path, string text, string type = "text/csv") =>
        Send(HttpMethod.Post, path, new StringContent(text, new System.Net.Http.Headers.MediaTypeHeaderValue(type)), HttpStatusCode.OK);

    /// <summary>Publishes LeadCaptured and waits until the ledger has the lead.</summary>
    public async Task<Guid> Lead(
        DateTimeOffset createTime, string channel = "Paid Search", string campaign = "spring", string captureType = "FORM")
    {
        var lead = Guid.CreateVersion7();
        await Bus.Publish(Captured(lead, createTime, channel, campaign, captureType));
        await UntilStage(lead, "LEAD");
        return lead;
    }

    public LeadCaptured Captured(
        Guid lead, DateTimeOffset createTime, string channel = "Paid Search", string campaign = "spring", string captureType = "FORM",
        long version = 1) =>
        new(Guid.CreateVersion7(), Id, createTime, version, lead, $"{lead:N}@example.com", null, captureType, "demo", createTime,
            Touch(channel, campaign, createTime), Touch(channel, campaign, createTime), new Dictionary<string, string>(), null);

    public LeadQualified Qualified(Guid lead, DateTimeOffset time, long version = 2) =>
        new(Guid.CreateVersion7(), Id, time, version, lead, 72.5m, 1, [new("demo", "Asked for a demo", 40, time)]);

    public LeadDisqualified Disqualified(Guid lead, DateTimeOffset time, long version = 3) =>
        new(Guid.CreateVersion7(), Id, time, version, lead, 12, "SCORE_DECAYED");

    /// <summary>Makes the lead MQL; answers its open hand-off.</summary>
    public async Task<JsonObject> Qualify(Guid lead, DateTimeOffset time, long version = 2)
    {
        await Bus.Publish(Qualified(lead, time, version));
        await UntilStage(lead, "MQL");
        return await Handoff(lead);
    }

    public async Task<JsonObject> Handoff(Guid lead) => (await Get($"/v1/handoffs?leadId={lead}"))["handoffs"]!.AsArray()[0]!.AsObject();

    public Task UntilStage(Guid lead, string stage) => Eventually.Equal(stage, () => Stage(lead), $"the lead is {stage}");

    public async Task<string> Stage(Guid lead) => (await Get($"/v1/leads/{lead}/stage"))["current"]!.GetValue<string>();

    /// <summary>The history of a lead as <c>FROM&gt;TO:REASON</c>.</summary>
    public async Task<string[]> History(Guid lead) =>
        [.. (await Get($"/v1/leads/{lead}/stage"))["history"]!.AsArray().Select(
            change => $"{change!["from"]}>{change["to"]}:{change["reason"]}")];

    /// <summary>The changes published of a lead, once as many have come as its ledger has.</summary>
    public async Task<LeadStageChanged[]> Published(Guid lead)
    {
        var version = int.Parse((await Get($"/v1/leads/{lead}/stage"))["version"]!.GetValue<string>(), null);
        return [.. await Bus.Until<LeadStageChanged>(version, change => change.LeadId == lead)];
    }

    public async Task<double?> Metric(string metric, DateOnly from, DateOnly to, string granularity = "YEAR")
    {
        var answer = await Get(
            $"/v1/metrics/conversion?from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}&granularity={granularity}&metrics={metric}");
        return answer["series"]!.AsArray() is [{ } series, ..] ? series["points"]![0]!["value"]?.GetValue<double>() : null;
    }

    public SpendRecorded Spend(DateOnly day, decimal amount, string campaign = "spring", long version = 1, long clicks = 10) =>
        new(Guid.CreateVersion7(), Id, Times.Now, version, [new(
            day, "Paid Search", "google", "cpc", campaign, "", new("USD", amount), 1000, clicks)]);

    private static TouchInfo Touch(string channel, string campaign, DateTimeOffset time) =>
        new(channel, "google", "cpc", campaign, null, "https://example.com/", null, time, null);

    private async Task<JsonObject> Send(HttpMethod method, string path, HttpContent? content, HttpStatusCode expected, string? key = null)
    {
        var (status, text) = await Ask(method, path, content, key);
        return Answer(method, path, expected, status, text);
    }

    private static JsonObject Answer(HttpMethod method, string path, HttpStatusCode expected, HttpStatusCode status, string text)
    {
        Assert.True(status == expected, $"{method} {path} answered {(int)status}: {text}");
        return JsonNode.Parse(text)!.AsObject();
    }

    private async Task<(HttpStatusCode Status, string Text)> Ask(HttpMethod method, string path, HttpContent? content, string? key = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(fixture.Service.Http, path)) { Content = content };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(Id, timeZone, currencyCode));
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using var response = await Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}

/// <summary>Times that tests share.</summary>
public static class Times
{
    /// <summary>Now, in whole milliseconds.</summary>
    public static DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>A time in March 2026 (UTC), well before now.</summary>
    public static DateTimeOffset March(int day, int hour = 12) => new(2026, 3, day, hour, 0, 0, TimeSpan.Zero);
}
