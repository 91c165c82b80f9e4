using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>Redis is emptied, filled with nonsense or gone: the answers stay the same. A process and a Redis of its own, as others use
/// theirs.</summary>
public sealed class LiveScoreTests : IAsyncLifetime
{
    private readonly ScoringFixture scoring = new();

    public ValueTask InitializeAsync() => scoring.InitializeAsync();

    public ValueTask DisposeAsync() => scoring.DisposeAsync();

    [Fact]
    public async Task Redis_EmptiedStoppedAndBack_AnswersStayTheSame()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now);
        var leads = await Leads(workspace, now);
        await InRedis(workspace, leads.Length);
        await scoring.Post("/v1/scoring:rebuild", workspace);
        var before = await Ranking(workspace, "?limit=20");

        // By age: fit alone, then the form of day 0, 10, 20, … The order by total is the order of leads.
        Assert.Equal(leads.Select(lead => lead.ToString()), before.Select(score => (string)score["leadId"]!));
        Assert.Equal(5, (await Ranking(workspace, "?limit=5")).Count);
        Assert.Equal(before.Take(4).Select(Id), (await Ranking(workspace, $"?minTotal={before[3]["total"]!}")).Select(Id));

        await scoring.Redis.Command("FLUSHALL");
        Assert.Equal(before.Select(Total), (await Ranking(workspace, "?limit=20")).Select(Total));
        await Eventually.Equal(":1", () => scoring.Redis.Command($"EXISTS {Keys(workspace)}complete"), "Redis is restored by itself");
        Assert.Equal(before.Select(Total), (await Ranking(workspace, "?limit=20")).Select(Total));

        await scoring.StopRedis();
        Assert.Equal(before.Select(Total), (await Ranking(workspace, "?limit=20")).Select(Total));
        foreach (var score in before)
        {
            Assert.Equal(Total(score), Total(await scoring.Get($"/v1/scores/{Id(score)}", workspace)));
        }

        Assert.Equal(
            HttpStatusCode.ServiceUnavailable, (await scoring.Call(HttpMethod.Post, "/v1/scoring:rebuild", workspace, "{}")).Status);
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(leads[^1], now, "/pricing")));
        await Eventually.Equal(
            36.0, async () => Total(await scoring.Get($"/v1/scores/{leads[^1]}", workspace)), "events count while Redis is away");

        await using var again = await TestRedis.Start(scoring.Redis.Port);
        await Eventually.Equal(
            ":1", () => again.Command($"EXISTS {Keys(workspace)}complete"), "another Redis is filled", TimeSpan.FromSeconds(60));
        Assert.Equal(
            leads.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), $"{(await Ranking(workspace, "?limit=20")).Count}");
        Assert.Equal(36.0, Total(await scoring.Get($"/v1/scores/{leads[^1]}", workspace)));
    }

    [Fact]
    public async Task Rebuild_OrphansAndStaleEntries_AreMended()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now);
        var leads = await Leads(workspace, now);
        await InRedis(workspace, leads.Length);
        var before = await Ranking(workspace, "?limit=20");

        // A lead that nobody knows, on top of all, and a lead whose entry says version 1000.
        var ghost = Guid.CreateVersion7();
        var data = (await scoring.Get($"/v1/scores/{leads[0]}", workspace))["version"]!;
        await scoring.Redis.Command($"SADD {Keys(workspace)}default:ranges 900|0");
        await scoring.Redis.Command($"ZADD {Keys(workspace)}default:top:900|0 0 {Bytes(ghost)} 1 {Bytes(leads[2])}");
        await scoring.Redis.Command($"HSET {Keys(workspace)}default:{Block(leads[1])} {Bytes(leads[1])} 1000:900|0:nonsense");
        var rebuilt = await scoring.Post("/v1/scoring:rebuild", workspace);

        Assert.Equal($"{leads.Length}", (string)rebuilt["leads"]!);
        Assert.Equal("2", (string)rebuilt["removed"]!);
        Assert.Equal(before.Select(Total), (await Ranking(workspace, "?limit=20")).Select(Total));
        Assert.NotNull(data);
    }

    [Fact]
    public async Task Watch_ChangeOnAnotherReplica_IsTold()
    {
        var (workspace, other, lead, now) = (await scoring.Workspace(), await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        await using var replica = scoring.Create();
        await replica.Start();
        await scoring.Service.Kill();
        await scoring.Service.Start();
        var seen = new List<JsonNode>();
        await foreach (var message in scoring.Stream("/v1/scores:watch", workspace))
        {
            seen.Add(message);
            if (seen.Count == 1)
            {
                await scoring.Bus.Publish(Given.Captured(other, Guid.CreateVersion7(), now));
                await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
            }
            else if (message["score"] is { } score)
            {
                Assert.Equal((lead.ToString(), 30.0), ((string)score["leadId"]!, Total(score)));
                break;
            }
        }

        Assert.Null(seen[0]["score"]);
    }

    private async Task<Guid[]> Leads(Guid workspace, DateTimeOffset now)
    {
        var leads = Enumerable.Range(0, 12).Select(_ => Guid.CreateVersion7()).ToArray();
        for (var index = 0; index < leads.Length; index++)
        {
            // At these ages no total comes to its next cent within twenty minutes.
            var time = now.AddDays(-10 * index).AddHours(-2.7);
            await scoring.Bus.Publish(Given.Captured(workspace, leads[index], time));
            if (index < leads.Length - 1)
            {
                await scoring.Bus.Publish(Given.Recorded(workspace, Given.Form(leads[index], time, "contact")));
            }
        }

        await Eventually.Equal(
            35L, async () => (await scoring.Database.Scalar<long>("select count(*) from ledger where workspace_id = $1", workspace)),
            "all are scored");
        return leads;
    }

    private Task InRedis(Guid workspace, int count) => Eventually.Equal(
        ((long)count, 0L),
        async () => (
            await scoring.Database.Scalar<long>("select count(*) from lead where workspace_id = $1 and state is not null", workspace),
            await scoring.Unprojected(workspace)),
        "Redis has them");

    private async Task<IReadOnlyList<JsonNode>> Ranking(Guid workspace, string query) =>
        [.. (await scoring.Get($"/v1/scores:top{query}", workspace))["scores"]!.AsArray().Select(score => score!)];

    private static string Keys(Guid workspace) => $"{{{workspace:N}}}:3:";

    /// <summary>A lead's id as an argument in line form.</summary>
    private static string Bytes(Guid lead) => $"\"{string.Concat(lead.ToByteArray(bigEndian: true).Select(part => $"\\x{part:x2}"))}\"";

    private static string Block(Guid lead) =>
        $"{((lead.ToByteArray(bigEndian: true)[14] << 8) | lead.ToByteArray(bigEndian: true)[15]) % 16_384:x}";

    private static string Id(JsonNode score) => (string)score["leadId"]!;

    private static double Total(JsonNode score) => (double)score["total"]!;
}
