using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Retention.Storage;
using Lifecycle.Testing;
using Retention.IntegrationTests;

[assembly: AssemblyFixture(typeof(RetentionFixture))]

namespace Retention.IntegrationTests;

/// <summary>The service as one process with its database and broker, shared by the tests; each test has workspaces of its own.</summary>
public sealed class RetentionFixture : IAsyncLifetime
{
    private TestDatabase? database;
    private TestVirtualHost? broker;
    private ServiceProcess? service;
    private TestDatabase? conversionDatabase;
    private ServiceProcess? conversion;
    private TestBus? bus;

    public TestDatabase Database => database!;

    public TestBus Bus => bus!;

    public ServiceProcess Service => service!;

    /// <summary>Conversion, where opportunities are opened and won.</summary>
    public ServiceProcess Conversion => conversion!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<RetentionDbContext>(RetentionDbContext.SchemaName);
        broker = await TestVirtualHost.Create();
        conversionDatabase = await TestDatabase.CreateEmpty("conversion");
        var peer = ServiceEnvironment.For(conversionDatabase, broker);
        peer["services__capture__grpc__0"] = "http://127.0.0.1:1";
        await using (var migration = ServiceProcess.Create(
            "Conversion",
            new Dictionary<string, string>(peer) { ["ConnectionStrings__lifecycle"] = conversionDatabase.AdministratorConnectionString }))
        {
            Assert.Equal(0, await migration.RunToEnd("--migrate"));
        }

        conversion = ServiceProcess.Create("Conversion", peer);
        await conversion.Start();
        var environment = ServiceEnvironment.For(database, broker);
        environment["services__conversion__grpc__0"] = conversion.Grpc.ToString();
        // Several transactions of a test's file, and no long wait for what another process left.
        environment["Retention__ImportBatchSize"] = "500";
        environment["Retention__RevenueAnnouncementSeconds"] = "1";
        environment["Retention__SurveyPollSeconds"] = "0.3";
        environment["Retention__AdvocatePauseSeconds"] = "0.5";
        service = ServiceProcess.Create("Retention", environment);
        await service.Start();
        bus = await TestBus.Start(
            broker, typeof(CustomerChurned), typeof(CustomerRiskChanged), typeof(RevenueMoved), typeof(NpsAnswered), typeof(EmailRequested),
            typeof(AdvocateGained), typeof(LeadErasureConfirmed));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { bus, service, conversion, broker, database, conversionDatabase })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }
}

/// <summary>One workspace of the service: calls over REST, events of the other services.</summary>
internal sealed class Tenant(RetentionFixture fixture, string timeZone = "UTC")
{
    private static readonly HttpClient Client = new();

    public Guid Id { get; } = Guid.CreateVersion7();

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A time zone in which it is noon, for what is counted in days from today: no day ends while the test runs.</summary>
    public static string NoonZone => Now.Hour - 12 is var west and not 0 ? $"Etc/GMT{west:+0;-0}" : "UTC";

    /// <summary>The workspace's day.</summary>
    public DateOnly Today => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Now, TimeZoneInfo.FindSystemTimeZoneById(timeZone)).DateTime);

    public Task<JsonNode> Get(string path) => Call(HttpMethod.Get, path);

    public Task<JsonNode> Post(string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK) =>
        Call(HttpMethod.Post, path, body ?? new { }, expected);

    public async Task<JsonNode> Call(
        HttpMethod method, string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK, Uri? server = null)
    {
        var content = body switch
        {
            null => null,
            HttpContent given => given,
            _ => new StringContent(JsonSerializer.Serialize(body, JsonSerializerOptions.Web), Encoding.UTF8, "application/json"),
        };
        using var request = new HttpRequestMessage(method, new Uri(server ?? fixture.Service.Grpc, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(Id, timeZone, "USD", "admin"));
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{method} {path} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>A report as CSV.</summary>
    public async Task<string> Csv(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(fixture.Service.Http, path));
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(Id, timeZone, "USD", "admin"));
        request.Headers.Accept.ParseAdd("text/csv");
        using var response = await Client.SendAsync(request);
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadAsStringAsync();
    }

    public Task Publish(ILifecycleEvent e) => fixture.Bus.Publish(e);

    public LeadCaptured Captured(Guid leadId, string email, string channel = "Paid Search") => new(
        Guid.CreateVersion7(), Id, Now, 1, leadId, email, null, "FORM", "demo", Now, Touch(channel), Touch(channel),
        new Dictionary<string, string> { ["firstName"] = "Robin" }, new("Example Industries", null, null, null, null, null));

    public RevenueBooked Booked(Guid? leadId, decimal amount, DateTimeOffset time, string? account = null) =>
        new(Guid.CreateVersion7(), Id, time, 1, Guid.CreateVersion7(), leadId, new("USD", amount), account, null, time);

    public LeadStageChanged BecameCustomer(Guid leadId, DateTimeOffset time) =>
        new(Guid.CreateVersion7(), Id, time, 5, leadId, "OPPORTUNITY", "CUSTOMER", "WON", "key:test", 80, Touch("Paid Search"));

    public async Task<JsonNode> CustomerOf(Guid leadId)
    {
        JsonNode? customer = null;
        await Eventually.True(
            async () => (customer = (await Get($"/v1/customers?filter={Uri.EscapeDataString($"leadId = \"{leadId}\"")}"))["customers"]!
                .AsArray().SingleOrDefault()) is not null,
            "the lead's customer");
        return customer!;
    }

    /// <summary>Tells the service of the workspace, so that its jobs work for it.</summary>
    public Task Announce() => fixture.Database.Query(
        "insert into workspace (id, display_name, time_zone, currency_code, version) values ($1, 'Test', $2, 'USD', 1)", Id, timeZone);

    /// <summary>Version of the profile that Retention has of a lead; 0 before one came.</summary>
    public Task<long> Version(Guid leadId) =>
        fixture.Database.Scalar<long>(
            "select coalesce(max(version), 0) from lead_profile where workspace_id = $1 and lead_id = $2", Id, leadId);

    public async Task<double?> Metric(string metric, string from, string to, string granularity = "MONTH", int point = 0)
    {
        var answer = await Get($"/v1/metrics/retention?from={from}&to={to}&granularity={granularity}&metrics={metric}");
        return answer["series"]![0]!["points"]![point]!["value"]?.GetValue<double>();
    }

    private static TouchInfo Touch(string channel) => new(channel, "google", "cpc", "spring", null, null, null, Now, null);
}
