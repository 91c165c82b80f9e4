using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>What the benchmarks of Retention share: files of customers and entries, made while they are sent.</summary>
internal static class RetentionData
{
    public static async Task<JsonNode> Import(HttpClient client, string path, string header, int rows, Func<int, string> row)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new Rows(header, rows, row) };
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var answer = response.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException(text);
        return answer["created"]!.GetValue<int>() == rows ? answer : throw new InvalidOperationException(text);
    }

    public static Task<JsonNode> Customers(HttpClient client, int count) => Import(
        client, "/v1/customers:import", "externalId,displayName,startTime,segment,plan", count,
        index => string.Create(
            CultureInfo.InvariantCulture, $"c{index},Customer {index},{Day(index % 1000)},segment {index % 5},plan {index % 7}"));

    public static string Day(int day) => new DateOnly(2023, 1, 1).AddDays(day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Rows that a single statement inserts in a second, without index, in sets as large as an import's.</summary>
    public static async Task<double> InsertLimit(TestDatabase database, int rows)
    {
        await database.Query(
            "create unlogged table retention.bench_limit (workspace_id uuid, id uuid, customer_id uuid, amount numeric, time timestamptz, external_id text)");
        var clock = Stopwatch.StartNew();
        for (var done = 0; done < rows; done += 500)
        {
            await database.Query(
                "insert into retention.bench_limit select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), n, now(), 'entry ' || n from generate_series(1, 500) n");
        }

        var rate = rows / clock.Elapsed.TotalSeconds;
        await database.Query("drop table retention.bench_limit");
        return rate;
    }

    private sealed class Rows : HttpContent
    {
        private readonly string header;
        private readonly int count;
        private readonly Func<int, string> row;

        public Rows(string header, int count, Func<int, string> row)
        {
            (this.header, this.count, this.row) = (header, count, row);
            Headers.ContentType = new("text/csv");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var writer = new StreamWriter(stream, new UTF8Encoding(false), 64 * 1024, leaveOpen: true);
            await writer.WriteAsync(header + "\n");
            for (var index = 0; index < count; index++)
            {
                await writer.WriteAsync(row(index) + "\n");
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

/// <summary>A million customers and a million entries, streamed through the gateway.</summary>
internal sealed class RetentionImports : Benchmark
{
    public override string Name => "retention-import";

    public override string Summary =>
        "1M customers and 1M revenue entries streamed through the gateway: rows/s, and Retention's peak memory";

    public override async Task Run(BenchmarkRun run)
    {
        var rows = run.Scaled(1_000_000);
        await using var suite = await BenchmarkSuite.Start("retention");
        using var client = suite.Client();
        client.Timeout = TimeSpan.FromHours(2);
        var (process, database) = (suite.Process("Retention"), suite.Database("retention"));
        var limit = await RetentionData.InsertLimit(database, Math.Min(rows, 50_000));
        var clock = Stopwatch.StartNew();
        await RetentionData.Customers(client, rows);
        run.AtLeast("customers imported", rows / clock.Elapsed.TotalSeconds, "rows/s", 8_333);
        var (times, sessions) = (await ProcessorTimes.Begin(suite, database), await BenchmarkSuite.PostgresSeconds(database));
        clock.Restart();
        await RetentionData.Import(
            client, "/v1/revenue:import", "customerExternalId,externalId,type,amount,recurrence,occurTime", rows,
            index => string.Create(
                CultureInfo.InvariantCulture, $"c{index},r{index},NEW,{10 + (index % 900)},MONTHLY,{RetentionData.Day(index % 1000)}"));
        var rate = rows / clock.Elapsed.TotalSeconds;
        run.AtLeast("revenue entries imported", rate, "rows/s", 8_333);
        run.AtLeast("of what plain inserts reach", rate, "rows/s", limit, 0.05);
        ProcessorTimes.Tell(run, times.Seconds(), rows, "entry");
        run.Tell("of Postgres, Retention's sessions", (await BenchmarkSuite.PostgresSeconds(database) - sessions) / rows * 1e6, "us/entry");
        run.Tell("events still to go out", await database.Scalar<long>("select count(*) from outbox"), "events");
        run.Tell(
            "entries still to be told",
            await database.Scalar<long>("select coalesce(sum(cardinality(revenue_ids)), 0)::bigint from revenue_announcement"), "entries");
        run.Tell(
            "customers still to be counted",
            await database.Scalar<long>("select coalesce(sum(cardinality(customer_ids)), 0)::bigint from rollup_mark"), "customers");
        run.Tell(
            "customers still to be scored",
            await database.Scalar<long>("select count(*) from customer where risk_due_time <= now()"), "customers");
        run.AtMost("Retention's peak memory", BenchmarkSuite.PeakMegabytes(process), "MB", 300);
    }
}

/// <summary>The waterfall and the cohorts of a million customers over 36 months.</summary>
internal sealed class RetentionWaterfall : Benchmark
{
    public override string Name => "retention-waterfall";

    public override string Summary =>
        "MRR waterfall and cohorts of 1M customers over 36 months, from counted months that a recount of a sample leaves as they are";

    public override async Task Run(BenchmarkRun run)
    {
        var rows = run.Scaled(1_000_000);
        await using var suite = await BenchmarkSuite.Start("retention");
        using var client = suite.Client();
        client.Timeout = TimeSpan.FromHours(2);
        var clock = Stopwatch.StartNew();
        await RetentionMonths.Fill(suite, rows);
        run.Tell("data filled in", clock.Elapsed.TotalSeconds, "s");
        run.AtMost("MRR waterfall", await Median(client, "mrr"), "ms", 1_000);
        run.AtMost("cohorts", await Median(client, "cohorts"), "ms", 1_000);
        var counted = await RetentionMonths.Counted(suite);
        var marked = await RetentionMonths.Mark(suite, Math.Max(1, rows / 10_000));
        clock.Restart();
        await client.GetStringAsync("/v1/reports/mrr/customers?month=2025-01-01");
        run.Tell("customers counted anew", marked / clock.Elapsed.TotalSeconds, "customers/s");
        run.AtMost("sums that differ once a sample is counted anew", counted == await RetentionMonths.Counted(suite) ? 0 : 1, "", 0);
    }

    private static async Task<double> Median(HttpClient client, string report)
    {
        var times = new List<double>();
        for (var run = 0; run < 7; run++)
        {
            var clock = Stopwatch.StartNew();
            await client.GetStringAsync($"/v1/reports/{report}?from=2023-01-01&to=2026-01-01");
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        return times.Order().ElementAt(times.Count / 2);
    }
}

/// <summary>Single entries, each a request of its own.</summary>
internal sealed class RetentionLedgerWrites : Benchmark
{
    private const int Senders = 64;

    // A process that has just started compiles its code while it works: what is asked for is a rate that lasts.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    public override string Name => "retention-ledger-writes";

    public override string Summary =>
        "single revenue entries over 64 connections through the gateway for 20 s after 10 s to warm up, against requests that only read";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("retention");
        using var client = suite.Client();
        await RetentionData.Customers(client, 1_000);
        var list = JsonNode.Parse(await client.GetStringAsync("/v1/customers?pageSize=1000"))!;
        var ids = list["customers"]!.AsArray().Select(customer => (string)customer!["id"]!).ToArray();
        var reads = ids.Select(id => LoadConnection.Get(suite.Gateway, $"/v1/customers/{id}", suite.Key)).ToArray();
        var writes = ids.Select(id => LoadConnection.Request(
            suite.Gateway, $"/v1/customers/{id}/revenue", suite.Key,
            """{"type":"UPSELL","amount":{"currencyCode":"EUR","amount":"1.00"},"recurrence":"MONTHLY"}"""u8)).ToArray();
        var connections = await Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => LoadConnection.Open(suite.Gateway)));
        var length = TimeSpan.FromSeconds(Math.Max(2, 20 * Math.Min(1, run.Scaled(100) / 100.0)));
        await Send(connections, reads, WarmUp);
        var limit = await Send(connections, reads, length / 2) / (length / 2).TotalSeconds;
        var (process, database) = (suite.Process("Retention"), suite.Database("retention"));
        await Send(connections, writes, WarmUp);
        await Drain(database);
        var (sessions, commits) = (await BenchmarkSuite.PostgresSeconds(database), await Commits(database));
        var (times, clock) = (await ProcessorTimes.Begin(suite, database), Stopwatch.StartNew());
        var written = await Send(connections, writes, length);
        var sending = clock.Elapsed;
        await Drain(database);
        var rate = written / sending.TotalSeconds;
        run.AtLeast("entries written", rate, "entries/s", 2_000);
        run.AtLeast("of requests that only read", rate, "entries/s", limit, 0.2);
        run.Tell("entries with their event out", written / clock.Elapsed.TotalSeconds, "entries/s");
        ProcessorTimes.Tell(run, times.Seconds(), written, "entry");
        run.Tell(
            "of Postgres, Retention's sessions", (await BenchmarkSuite.PostgresSeconds(database) - sessions) * 1e6 / written, "us/entry");
        run.Tell("entries in one commit", (double)written / (await Commits(database) - commits), "entries");
        run.Tell("Retention's memory", BenchmarkSuite.Megabytes(process), "MB");
        foreach (var connection in connections)
        {
            connection.Dispose();
        }
    }

    // An entry is noted by the transaction that wrote it.
    private static Task<long> Commits(TestDatabase database) => database.Scalar<long>("select count(distinct xmin::text) from revenue")!;

    private static async Task Drain(TestDatabase database)
    {
        while (await database.Scalar<long>("select count(*) from outbox") > 0)
        {
            await Task.Delay(10);
        }
    }

    /// <summary>Sends one request after the other on each connection; answers how many.</summary>
    private static async Task<int> Send(LoadConnection[] connections, byte[][] requests, TimeSpan length)
    {
        var (next, clock) = (0, Stopwatch.StartNew());
        await Task.WhenAll(connections.Select(async connection =>
        {
            while (clock.Elapsed < length)
            {
                if (await connection.Send(requests[Interlocked.Increment(ref next) % requests.Length]) != 200)
                {
                    throw new InvalidOperationException(connection.Answer);
                }
            }
        }));
        return next;
    }
}
