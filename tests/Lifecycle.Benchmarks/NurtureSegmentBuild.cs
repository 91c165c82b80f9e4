using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>
/// The first judging of a segment over everybody, who a quarter of are members. Its limit is what Postgres needs to write the same members
/// in one statement.
/// </summary>
internal sealed class NurtureSegmentBuild : Benchmark
{
    public override string Name => "nurture-segment-build";

    public override string Summary =>
        "the first judging of a segment over 1M leads, a quarter of them members, against one insert of the same members";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("nurture");
        var (leads, database) = (run.Scaled(1_000_000), suite.Database("nurture"));
        run.Say($"making {leads} leads");
        await NurtureLeads.Fill(suite, leads);
        using var client = suite.Client();
        // The first, of few members, warms up.
        await Judged(database, await Create(client, "company.employees > 1990 and score.total >= 50"));
        var times = await ProcessorTimes.Begin(suite, database);
        var clock = Stopwatch.StartNew();
        var segment = await Create(client, "company.employees > 1000 and score.total >= 50");
        await Judged(database, segment);
        var seconds = clock.Elapsed.TotalSeconds;
        var processor = times.Seconds();
        var members = await database.Scalar<long>("select count(*) from segment_member where segment_id = $1", Guid.Parse(segment));
        run.Say($"{members} members");
        await database.Query("create table limit_member (like segment_member including all)");
        clock.Restart();
        await database.Query(
            """
            insert into limit_member (workspace_id, segment_id, lead_id, enter_time)
            select workspace_id, gen_random_uuid(), lead_id, now() from lead where (company ->> 'Employees')::int > 1000 and score >= 50
            """);
        var limit = clock.Elapsed.TotalSeconds;
        run.AtMost("first judging, for 1M leads", seconds * 1_000_000 / leads, "s", 10);
        run.AtLeast("leads judged per second, of what one insert does", leads / seconds, "/s", leads / limit, 0.1);
        run.AtMost("peak memory of Nurture", BenchmarkSuite.PeakMegabytes(suite.Process("Nurture")), "MB", 400);
        ProcessorTimes.Tell(run, processor, leads, "lead");
    }

    // Not by the API, which counts the members each time.
    private static Task Judged(TestDatabase database, string segment) => Eventually.True(
        () => database.Scalar<bool>("select evaluated_version = version from segment where id = $1", Guid.Parse(segment)),
        "everybody is judged", TimeSpan.FromMinutes(5));

    internal static async Task<string> Create(HttpClient client, string condition)
    {
        using var answer = await client.PostAsJsonAsync(
            "/v1/segments", new { displayName = condition[..Math.Min(condition.Length, 100)], condition });
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)!["id"]!.GetValue<string>() : throw new InvalidOperationException(text);
    }
}
