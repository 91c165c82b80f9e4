using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Lifecycle.Benchmarks;

/// <summary>
/// Reading leads through the gateway: first pages of lists over a million, and the journey of one with a thousand touches.
/// </summary>
internal sealed class LeadReads : Benchmark
{
    private const int Calls = 200;
    private const int WarmUp = 300;

    public override string Name => "lead-reads";

    public override string Summary =>
        "first page of filtered lists over 1M leads, and the journey of a lead with 1,000 touches, through the gateway";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("capture");
        using var client = suite.Client();
        var leads = run.Scaled(1_000_000);
        run.Say($"making {leads} leads");
        var database = suite.Database("capture");
        await using (var fill = database.Administrator.CreateCommand(
            """
            insert into lead (workspace_id, id, version, email, external_id, stage, stage_version, create_time, update_time, capture_type, form_type, capture_time,
              profile, own, first_touch, last_touch, channel, source, medium, campaign, keyword)
            select $1, gen_random_uuid(), 1, 'p' || n || '@acme.example', 'x' || n, case when n % 1000 = 0 then 'CUSTOMER' else 'LEAD' end, 0,
              timestamptz '2026-01-01' + n * interval '20 seconds', now(), case when n % 2000 = 0 then 'CALL' else 'FORM' end, 'demo', now(),
              '{"title":{"v":"VP Engineering","t":"2026-01-01T00:00:00+00:00"},"company.name":{"v":"Acme","t":"2026-01-01T00:00:00+00:00"}}',
              '{"email":{"v":"p@acme.example","t":"2026-01-01T00:00:00+00:00"}}', null, null,
              (array['Paid Search','Direct','Referral','Email'])[1 + n % 4], 's' || n % 50, 'cpc', 'c' || n % 20000, 'k' || n % 5000
            from generate_series(1, $2) n
            """))
        {
            fill.CommandTimeout = 1800;
            fill.Parameters.Add(new() { Value = suite.WorkspaceId });
            fill.Parameters.Add(new() { Value = leads });
            await fill.ExecuteNonQueryAsync();
        }

        await database.Query("analyze lead");
        foreach (var (what, query) in new[]
        {
            ("newest", ""),
            ("channel = Paid Search (a quarter)", "filter=" + Uri.EscapeDataString("channel = \"Paid Search\"")),
            ("stage = CUSTOMER (1 in 1,000)", "filter=stage%3DCUSTOMER"),
            ("campaign = c7 (1 in 20,000)", "filter=campaign%3Dc7"),
            ("campaign = c7 and channel = Direct, by e-mail",
                "orderBy=email&filter=" + Uri.EscapeDataString("campaign = c7 AND channel = Direct")),
            ("captureType = CALL since June", "filter=" + Uri.EscapeDataString("captureType = CALL AND createTime >= 2026-06-01")),
            ("one e-mail", "filter=" + Uri.EscapeDataString("email = p4711@acme.example")),
        })
        {
            var times = await Measure(client, $"/v1/leads?pageSize=50&{query}");
            run.AtMost($"first page, {what}: p95", times[(int)(times.Length * 0.95)], "ms", 50);
        }

        run.Say("making a journey of 1,000 touches");
        var id = await Journey(client);
        var processors = await ProcessorTimes.Begin(suite, database);
        var journey = await Measure(client, $"/v1/leads/{id}/journey");
        ProcessorTimes.Tell(run, processors.Seconds(), journey.Length + WarmUp, "journey");
        run.AtMost("journey of 1,000 touches: median", journey[journey.Length / 2], "ms", 20);
        run.Tell("journey of 1,000 touches: p95", journey[(int)(journey.Length * 0.95)], "ms");
    }

    private static async Task<string> Journey(HttpClient client)
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        for (var part = 0; part < 10; part++)
        {
            var messages = new List<object>();
            for (var visit = part * 100; visit < (part + 1) * 100; visit++)
            {
                for (var page = 0; page < 4; page++)
                {
                    var time = start.AddHours(visit * 3).AddMinutes(page).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
                    messages.Add(new
                    {
                        type = "page",
                        anonymousId = "walker",
                        messageId = $"{visit}-{page}",
                        timestamp = time,
                        context = new
                        {
                            page = new
                            {
                                url = $"https://acme.example/{page}?utm_source=s{visit % 9}&utm_medium=cpc&utm_campaign=c{visit % 7}"
                            }
                        }
                    });
                }
            }

            messages.Add(new
            {
                type = "identify",
                anonymousId = "walker",
                userId = "walker",
                messageId = $"identify-{part}",
                timestamp = start.AddHours((part + 1) * 300).AddMinutes(-170)
                    .ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                traits = new { email = "walker@acme.example" }
            });
            using var sent = await client.PostAsJsonAsync("/v1/batch", new { batch = messages });
            sent.EnsureSuccessStatusCode();
        }

        var found = JsonNode.Parse(await client.GetStringAsync("/v1/leads?filter=externalId%3Dwalker"))!;
        return found["leads"]![0]!["id"]!.GetValue<string>();
    }

    /// <summary>Milliseconds of single calls, one after another, in ascending order; after some to warm up.</summary>
    private static async Task<double[]> Measure(HttpClient client, string path)
    {
        var times = new List<double>();
        for (var call = 0; call < Calls + WarmUp; call++)
        {
            var clock = Stopwatch.StartNew();
            var bytes = await client.GetByteArrayAsync(path);
            if (call >= WarmUp)
            {
                times.Add(clock.Elapsed.TotalMilliseconds);
            }

            if (bytes.Length < 20)
            {
                throw new InvalidOperationException($"{path} answered nothing.");
            }
        }

        return [.. times.Order()];
    }
}
