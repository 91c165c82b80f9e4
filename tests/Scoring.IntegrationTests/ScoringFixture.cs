using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Scoring.Storage;
using Lifecycle.Testing;

[assembly: AssemblyFixture(typeof(Scoring.IntegrationTests.ScoringFixture))]

namespace Scoring.IntegrationTests;

/// <summary>The scoring service as a process, with a database, virtual host and Redis of its own, and a peer on the broker.</summary>
public sealed class ScoringFixture : IAsyncLifetime
{
    private HttpClient client = null!;
    private bool redisStopped;

    public TestDatabase Database { get; private set; } = null!;

    public TestVirtualHost Broker { get; private set; } = null!;

    public TestRedis Redis { get; private set; } = null!;

    /// <summary>A broker that can be killed, in place of the virtual host.</summary>
    internal TestRabbitMq? OwnBroker { get; init; }

    public ServiceProcess Service { get; private set; } = null!;

    public TestBus Bus { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.Create<ScoringDbContext>("scoring");
        Broker = await TestVirtualHost.Create();
        Redis = await TestRedis.Start();
        Service = Create();
        await Service.Start();
        Bus = await TestBus.Start(
            OwnBroker?.ConnectionString ?? Broker.ConnectionString, typeof(LeadScoreChanged), typeof(LeadQualified),
            typeof(LeadDisqualified), typeof(LeadErasureConfirmed));
        client = Client(Service);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await Bus.DisposeAsync();
        await Service.DisposeAsync();
        await StopRedis();
        await Broker.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>Ends Redis, once.</summary>
    public async Task StopRedis()
    {
        if (!redisStopped)
        {
            redisStopped = true;
            await Redis.DisposeAsync();
        }
    }

    /// <summary>Ends Redis and starts it anew, empty, on the same port.</summary>
    internal async Task RestartRedis()
    {
        await Redis.DisposeAsync();
        Redis = await TestRedis.Start(Redis.Port);
    }

    /// <summary>Another process of the service on the same servers, not started.</summary>
    public ServiceProcess Create()
    {
        var environment = ServiceEnvironment.For(Database, Broker, Redis);
        environment["ConnectionStrings__rabbitmq"] = OwnBroker?.ConnectionString ?? Broker.ConnectionString;
        environment["Scoring__DecayQuietSeconds"] = "0";
        environment["Scoring__JobPauseSeconds"] = "0.2";
        return ServiceProcess.Create("Scoring", environment);
    }

    public static HttpClient Client(ServiceProcess service) => new()
    {
        BaseAddress = service.Grpc,
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>A workspace that the service knows.</summary>
    public async Task<Guid> Workspace(string timeZone = "UTC")
    {
        var id = Guid.CreateVersion7();
        await Bus.Publish(new WorkspaceUpdated(Guid.CreateVersion7(), id, DateTimeOffset.UnixEpoch, 1, "Test", timeZone, "USD"));
        await Eventually.Equal(
            1L, async () => (long)(await Database.Query("select count(*) from workspace where id = $1", id))[0][0]!,
            "the workspace is known");
        return id;
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> Call(
        HttpMethod method, string path, Guid workspaceId, string? json = null, string timeZone = "UTC", string? requestId = null,
        HttpClient? through = null)
    {
        using var request =
            new HttpRequestMessage(method, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspaceId, timeZone, "USD"));
        request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        if (requestId is not null)
        {
            request.Headers.Add("Idempotency-Key", requestId);
        }

        using var response = await (through ?? client).SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    /// <summary>Scores of the workspace that changed after the snapshot up to which Redis has all; -1: it has no such snapshot.</summary>
    public async Task<long> Unprojected(Guid workspaceId)
    {
        var mark = (await Redis.Command(
            $"EVAL \"return redis.status_reply(redis.call('GET', KEYS[1]) or '')\" 1 {{{workspaceId:N}}}:3:complete")).TrimStart('+');
        return mark.Split(':').Length != 3
            ? -1
            : await Database.Scalar<long>(
                """
                select (select count(*) from lead where workspace_id = $1 and not pg_visible_in_snapshot(change_xid::text::xid8, $2::pg_snapshot))
                     + (select count(*) from score where workspace_id = $1 and not pg_visible_in_snapshot(change_xid::text::xid8, $2::pg_snapshot))
                """, workspaceId, mark);
    }

    public async Task<JsonNode> Get(string path, Guid workspaceId, string timeZone = "UTC")
    {
        var (status, body) = await Call(HttpMethod.Get, path, workspaceId, timeZone: timeZone);
        return status == HttpStatusCode.OK ? body : throw new InvalidOperationException($"GET {path}: {status} {body}");
    }

    public async Task<JsonNode> Post(string path, Guid workspaceId, string json = "{}")
    {
        var (status, body) = await Call(HttpMethod.Post, path, workspaceId, json);
        return status == HttpStatusCode.OK ? body : throw new InvalidOperationException($"POST {path}: {status} {body}");
    }

    /// <summary>Opens a stream of server-sent events and reads its messages.</summary>
    public async IAsyncEnumerable<JsonNode> Stream(string path, Guid workspaceId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspaceId));
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                yield return JsonNode.Parse(line["data: ".Length..])!;
            }
        }
    }
}
