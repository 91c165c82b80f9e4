using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Storage;
using Lifecycle.Testing;
using Nurture.IntegrationTests;

[assembly: AssemblyFixture(typeof(NurtureFixture))]

namespace Nurture.IntegrationTests;

/// <summary>
/// The service as one process with its database, broker and mail server, shared by the tests; each test has workspaces of its own.
/// </summary>
public sealed class NurtureFixture : IAsyncLifetime
{
    /// <summary>A browser, as people use it.</summary>
    public const string Browser =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

    private TestDatabase? database;
    private TestVirtualHost? broker;
    private ServiceProcess? service;
    private TestBus? bus;
    private TestSmtpServer? mails;

    public TestDatabase Database => database!;

    public TestBus Bus => bus!;

    public ServiceProcess Service => service!;

    internal TestSmtpServer Mails => mails!;

    internal FakePeers Peers { get; } = new();

    /// <summary>Environment of a test's own process, over the usual one.</summary>
    internal IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings that make a test quick: due work is seen at once, and people may click at once.</summary>
    internal static Dictionary<string, string> Environment(TestDatabase database, TestVirtualHost broker, TestSmtpServer mails)
    {
        var environment = ServiceEnvironment.For(database, broker);
        environment["ConnectionStrings__mail"] = mails.ConnectionString;
        environment["Nurture__PollSeconds"] = "0.1";
        environment["Nurture__FastClickSeconds"] = "0";
        environment["Nurture__EngagementHoldSeconds"] = "0.3";
        environment["Nurture__SendRetrySeconds"] = "0.1";
        environment["Webhooks__AllowedNetworks__0"] = "127.0.0.0/8";
        return environment;
    }

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<NurtureDbContext>("nurture");
        broker = await TestVirtualHost.Create();
        mails = new TestSmtpServer();
        await Peers.Start();
        var environment = Environment(database, broker, mails);
        environment["services__capture__grpc__0"] = environment["services__conversion__grpc__0"] = Peers.Address;
        environment["Webhooks__PollSeconds"] = "1";
        foreach (var (name, value) in Settings)
        {
            environment[name] = value;
        }

        service = ServiceProcess.Create("Nurture", environment);
        await service.Start();
        bus = await TestBus.Start(broker, typeof(EmailSent), typeof(EmailEngaged), typeof(ProgramStepCompleted),
            typeof(LeadErasureConfirmed), typeof(SegmentMembershipChanged));
    }

    public async ValueTask DisposeAsync()
    {
        if (bus is not null)
        {
            await bus.DisposeAsync();
        }

        if (service is not null)
        {
            await service.DisposeAsync();
        }

        await Peers.DisposeAsync();
        if (mails is not null)
        {
            await mails.DisposeAsync();
        }

        if (broker is not null)
        {
            await broker.DisposeAsync();
        }

        if (database is not null)
        {
            await database.DisposeAsync();
        }
    }

    /// <summary>A workspace where it is about noon: its day does not end while a test counts what happens on it.</summary>
    internal Task<TestWorkspace> NewWorkspaceAtNoon() => NewWorkspace(TestWorkspace.Noon().Zone);

    /// <summary>A workspace that the service knows.</summary>
    internal async Task<TestWorkspace> NewWorkspace(string timeZone = "UTC")
    {
        var workspace = new TestWorkspace(this, Guid.CreateVersion7(), timeZone);
        await Database.Query(
            "insert into workspace (id, display_name, time_zone, currency_code, version) values ($1, 'Test', $2, 'USD', 1)",
            workspace.Id, timeZone);
        return workspace;
    }
}

/// <summary>One workspace of the service: calls over REST, events of the other services.</summary>
internal sealed class TestWorkspace(NurtureFixture fixture, Guid id, string timeZone)
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    public Guid Id => id;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A zone where it is between noon and one o'clock, and its day.</summary>
    public static (string Zone, DateOnly Today) Noon()
    {
        var now = Now;
        var hours = 12 - now.Hour;
        // These names count westwards.
        return ($"Etc/GMT{-hours:+0;-0;+0}", DateOnly.FromDateTime(now.AddHours(hours).UtcDateTime));
    }

    /// <summary>A day of the workspace, counted from its today.</summary>
    public string Day(int days) => TimeZoneInfo.ConvertTime(Now, TimeZoneInfo.FindSystemTimeZoneById(timeZone)).AddDays(days)
        .ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public async Task<JsonObject> Call(
        HttpMethod method, string path, string? body = null, HttpStatusCode expected = HttpStatusCode.OK, params string[] scopes)
    {
        using var request = new HttpRequestMessage(
            method,
            new Uri(fixture.Service.Grpc, path))
        { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(id, timeZone, "USD", scopes));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{method} {path} answered {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject();
    }

    public Task<JsonObject> Get(string path) => Call(HttpMethod.Get, path);

    public Task<JsonObject> Post(string path, string body = "{}", HttpStatusCode expected = HttpStatusCode.OK) =>
        Call(HttpMethod.Post, path, body, expected);

    /// <summary>Follows a link of a mail as a client of that name.</summary>
    public static async Task<HttpResponseMessage> Visit(
        NurtureFixture fixture,
        string url,
        string userAgent = NurtureFixture.Browser,
        HttpMethod? method = null,
        string client = "203.0.113.7")
    {
        using var request = new HttpRequestMessage(
            method ?? HttpMethod.Get,
            new Uri(
                fixture.Service.Grpc,
                new Uri(url).PathAndQuery))
        { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        request.Headers.Add("X-Forwarded-For", client);
        if (method == HttpMethod.Post)
        {
            request.Content = new StringContent("List-Unsubscribe=One-Click", Encoding.UTF8, "application/x-www-form-urlencoded");
        }

        return await Client.SendAsync(request);
    }

    /// <summary>A template with one link.</summary>
    public async Task<string> NewEmail(string subject = "Welcome, {{lead.firstName}}")
    {
        const string Html = """<p>Hi {{lead.firstName}}, <a href=\"https://example.com/guide?a=1\">the guide</a></p>""";
        var email = $$$"""{"displayName":"Welcome","subject":"{{{subject}}}","html":"{{{Html}}}"}""";
        return (await Post("/v1/emails", email))["id"]!.GetValue<string>();
    }

    /// <summary>A program that is running.</summary>
    public async Task<string> NewProgram(string body)
    {
        var program = (await Post("/v1/programs", body))["id"]!.GetValue<string>();
        Assert.Equal("ACTIVE", (await Post($"/v1/programs/{program}:start"))["state"]!.GetValue<string>());
        return program;
    }

    /// <summary>Welcomes captured leads with one mail.</summary>
    public async Task<string> NewWelcome(string more = "") => await NewProgram(
        $$$"""{"displayName":"Welcome","entryTriggers":[{"leadCaptured":{}}],"steps":[{"id":"hello","sendEmail":{"emailId":"{{{await NewEmail()}}}"}}]{{{more}}}}""");

    public Task Publish(ILifecycleEvent e) => fixture.Bus.Publish(e);

    public LeadCaptured Captured(
        Guid lead, string email, DateTimeOffset? createTime = null, string campaign = "spring", string channel = "Paid Search",
        long version = 1, string captureType = "FORM", int? employees = 250) =>
        new(
            Guid.CreateVersion7(), id, createTime ?? Now, version, lead, email, null, captureType, "demo", createTime ?? Now,
            Touch(channel, campaign), Touch(channel, campaign),
            new Dictionary<string, string> { ["firstName"] = "Ada", ["title"] = "VP Marketing" }, new CompanyInfo(
                "Example Ltd", null, "Software", employees, null, null));

    public LeadUpdated Updated(Guid lead, string email, string firstName, long version, int? employees = 250) =>
        new(
            Guid.CreateVersion7(), id, Now, version, lead, email, null, "FORM", Now, Touch("Paid Search", "spring"),
            Touch("Paid Search", "spring"),
            new Dictionary<string, string> { ["firstName"] = firstName }, new CompanyInfo(
                "Example Ltd", null, "Software", employees, null, null));

    public LeadStageChanged Moved(Guid lead, string from, string to, string reason, long version, DateTimeOffset? time = null) =>
        new(Guid.CreateVersion7(), id, time ?? Now, version, lead, from, to, reason, "service:conversion", null, null);

    public ActivitiesRecorded Did(
        Guid lead, string type, string name, DateTimeOffset time, string properties = "{}", Guid? activity = null) =>
        new(
            Guid.CreateVersion7(), id, time, 1,
            [new ActivityInfo(
                activity ?? Guid.CreateVersion7(), lead, type, name, time, null, null,
                System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, System.Text.Json.JsonElement>>(properties)!)]);

    public async Task<JsonArray> LeadEmails(Guid lead) => (await Get($"/v1/leads/{lead}/emails"))["emails"]!.AsArray();

    /// <summary>Points of one metric; null where there is no value.</summary>
    public async Task<double?[]> Metric(string metric, string from, string to, string more = "")
    {
        var answer = await Get($"/v1/metrics/nurture?from={from}&to={to}&metrics={metric}{more}");
        return [.. answer["series"]!.AsArray().SelectMany(series => series!["points"]!.AsArray())
            .Select(point => point!["value"]?.GetValue<double>())];
    }

    public Task<double?[]> MetricToday(string metric, string more = "") => Metric(metric, Day(0), Day(1), more);

    private static TouchInfo Touch(string channel, string campaign) => new(channel, "google", "cpc", campaign, null, null, null, Now, null);
}
