using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Lifecycle.Benchmarks;

/// <summary>A file of a million leads, streamed through the gateway: rows a second, and the memory of the process that reads it.</summary>
internal sealed class LeadImports : Benchmark
{
    public override string Name => "lead-import";

    public override string Summary => "1M rows of CSV streamed into leads through the gateway: rows/s and Capture's peak memory";

    public override async Task Run(BenchmarkRun run)
    {
        var rows = run.Scaled(1_000_000);
        await using var suite = await BenchmarkSuite.Start("capture");
        using var client = suite.Client();
        client.Timeout = TimeSpan.FromHours(2);
        var capture = suite.Process("Capture");
        run.Tell("Capture before the import", BenchmarkSuite.Megabytes(capture), "MB");
        var (captureBefore, postgresBefore) = (
            BenchmarkSuite.ProcessorSeconds(capture), await BenchmarkSuite.PostgresSeconds(suite.Database("capture")));
        var clock = Stopwatch.StartNew();
        var answer = await Import(client, new Rows(rows));
        var rate = rows / clock.Elapsed.TotalSeconds;
        if (answer["created"]!.GetValue<int>() != rows)
        {
            throw new InvalidOperationException(answer.ToJsonString());
        }

        run.AtLeast("rows imported", rate, "rows/s", 10_000);
        run.Tell("processor time of a row, Capture", (BenchmarkSuite.ProcessorSeconds(capture) - captureBefore) / rows * 1e6, "us");
        run.Tell(
            "processor time of a row, Postgres",
            (await BenchmarkSuite.PostgresSeconds(suite.Database("capture")) - postgresBefore) / rows * 1e6, "us");
        run.AtMost("Capture's peak memory", BenchmarkSuite.PeakMegabytes(capture), "MB", 300);
        clock.Restart();
        await Import(client, new Rows(rows));
        run.Tell("the same file and request id again", rows / clock.Elapsed.TotalSeconds, "rows/s");
        run.AtMost("Capture's peak memory after it", BenchmarkSuite.PeakMegabytes(capture), "MB", 300);
    }

    private static async Task<JsonNode> Import(HttpClient client, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/leads:import") { Content = content };
        request.Headers.Add("Idempotency-Key", "benchmark");
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException(text);
    }

    /// <summary>A file made while it is sent.</summary>
    private sealed class Rows : HttpContent
    {
        private readonly int count;

        public Rows(int count)
        {
            this.count = count;
            Headers.ContentType = new("text/csv");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var writer = new StreamWriter(stream, new UTF8Encoding(false), 64 * 1024, leaveOpen: true);
            await writer.WriteAsync(
                "email,externalId,createTime,source,medium,campaign,firstName,lastName,title,company,employees,industry\n");
            for (var index = 0; index < count; index++)
            {
                await writer.WriteAsync(
                    $"person{index}@company{index % 50_000}.example,crm-{index},2026-{1 + (index % 9):00}-{1 + (index % 28):00},google,cpc,campaign {index % 200},First{index % 900},Last{index % 5000},VP Engineering,Company {index % 50_000},{index % 900},Software\n");
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
