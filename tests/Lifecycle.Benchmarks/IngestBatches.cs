using System.Diagnostics;

namespace Lifecycle.Benchmarks;

/// <summary>Batches of 100 messages through the gateway, against a bare COPY of the same rows into the same table.</summary>
internal sealed class IngestBatches : Benchmark
{
    private const int BatchSize = 100;
    private const int Connections = 48;
    private const int CopyRows = 500;

    public override string Name => "ingest-batches";

    public override string Summary => "messages/s accepted and durable in batches of 100 through the gateway, and Capture's memory";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("capture");
        var (warm, hot) = (run.Scaled(3000), run.Scaled(3000));
        var traffic = new SiteTraffic(1, TimeProvider.System.GetUtcNow().AddHours(-1));
        var requests = Enumerable.Range(0, warm + hot)
            .Select(_ => LoadConnection.Request(suite.Gateway, "/v1/batch", suite.Key, traffic.Batch(BatchSize))).ToArray();
        run.Say(
            $"{requests.Length} batches of {BatchSize}, {requests.Average(request => request.Length) / BatchSize:0} bytes a message; warming up");
        await Send(suite, requests.AsMemory(0, warm));
        run.Say("measuring");
        var processors = await ProcessorTimes.Begin(suite, suite.Database("capture"));
        var time = await Send(suite, requests.AsMemory(warm));
        var seconds = processors.Seconds();
        var messages = hot * BatchSize;
        var rate = messages / time.TotalSeconds;
        var stored = await suite.Database("capture").Scalar<long>("select count(*) from activity");
        if (stored != requests.Length * BatchSize)
        {
            throw new InvalidOperationException($"{requests.Length * BatchSize} messages were acknowledged, {stored} are stored.");
        }

        run.AtLeast("batches of 100 through the gateway", rate, "messages/s", 20_000);
        run.AtMost("Capture's peak memory", BenchmarkSuite.PeakMegabytes(suite.Process("Capture")), "MB", 300);
        run.AtMost("stored bytes of an activity, with indexes", await Bytes(suite, "activity") / stored, "bytes", 350);
        run.Tell("stored bytes of a message's memory (8 days), with indexes", await Bytes(suite, "message") / stored, "bytes");
        run.Tell("of these in indexes", (double)await suite.Database("capture").Scalar<decimal>(
            "select sum(pg_indexes_size(relid)) from pg_partition_tree('activity') where isleaf") / stored, "bytes");
        run.Tell("sessions of these messages", await suite.Database("capture").Scalar<long>("select count(*) from session"), "sessions");
        // Last, for it writes into the table that is measured here.
        run.AtLeast("the same against bare COPY", rate, "messages/s", await Copy(suite, run), 0.25);
        ProcessorTimes.Tell(run, seconds, messages, "message");
    }

    private static async Task<TimeSpan> Send(BenchmarkSuite suite, ReadOnlyMemory<byte[]> requests)
    {
        var connections = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => LoadConnection.Open(suite.Gateway)));
        var next = -1;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(connections.Select(async connection =>
        {
            for (int index; (index = Interlocked.Increment(ref next)) < requests.Length;)
            {
                if (await connection.Send(requests.Span[index]) != 200)
                {
                    throw new InvalidOperationException(connection.Answer);
                }
            }
        }));
        clock.Stop();
        foreach (var connection in connections)
        {
            connection.Dispose();
        }

        return clock.Elapsed;
    }

    private static async Task<double> Bytes(BenchmarkSuite suite, string table) => (double)await suite.Database("capture").Scalar<decimal>(
        $"select coalesce((select sum(pg_total_relation_size(relid)) from pg_partition_tree('{table}') where isleaf), pg_total_relation_size('{table}'))");

    // The rows that were stored, once more under new ids, into the same table: its partitions, its indexes, as full as they are.
    private static async Task<double> Copy(BenchmarkSuite suite, BenchmarkRun run)
    {
        run.Say("copying the same rows");
        await using var connection = await suite.Database("capture").Administrator.OpenConnectionAsync();
        var columns = (await suite.Database("capture").Query(
            "select attname, format_type(atttypid, null) from pg_attribute where attrelid = 'activity'::regclass and attnum > 0 and not attisdropped order by attnum"))
            .Select(row => (Name: (string)row[0]!, Type: (string)row[1]!)).ToArray();
        // A new id keeps the time of the old one, by which it finds its partition.
        var list = string.Join(", ", columns.Select(column =>
            column.Name == "id" ? "overlay(id::text placing right(gen_random_uuid()::text, 12) from 25)::uuid" : column.Name));
        var rows = await suite.Database("capture").Query($"select {list} from activity order by id limit {run.Scaled(200_000)}");
        var clock = Stopwatch.StartNew();
        foreach (var chunk in rows.Chunk(CopyRows))
        {
            await using var import = await connection.BeginBinaryImportAsync("copy activity from stdin (format binary)");
            foreach (var row in chunk)
            {
                await import.StartRowAsync();
                for (var column = 0; column < row.Length; column++)
                {
                    await (row[column] is { } value ? import.WriteAsync(value, columns[column].Type) : import.WriteNullAsync());
                }
            }

            await import.CompleteAsync();
        }

        return rows.Count / clock.Elapsed.TotalSeconds;
    }
}
