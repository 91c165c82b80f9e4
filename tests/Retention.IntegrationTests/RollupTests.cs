using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Lifecycle.Retention.Domain;

namespace Retention.IntegrationTests;

/// <summary>
/// What reports read from counted months and from the ledger is the definition's waterfall, and a rebuild gives the same.
/// </summary>
public sealed partial class RollupTests(RetentionFixture fixture)
{
    private const string From = "2025-01-01";
    private const string To = "2026-07-01";
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Waterfall_RandomLedgersInSeveralFiles_IsTheDefinitionsAndSurvivesARebuild(int seed)
    {
        var tenant = new Tenant(fixture, "Europe/Berlin");
        var random = new Random(seed);
        await Import(tenant, "/v1/customers:import", "externalId,startTime,segment", Enumerable.Range(0, 40)
            .Select(index => $"c{index},{Time(random.Next(0, 300))},all"));
        var entries = Enumerable.Range(0, 40).SelectMany(index => Ledger(random, index)).ToArray();
        foreach (var part in entries.OrderBy(_ => random.Next()).Chunk(200).Select(part => part.OrderBy(entry => entry.Day)))
        {
            await Import(
                tenant, "/v1/revenue:import", "customerExternalId,externalId,type,amount,recurrence,occurTime",
                part.Select(entry => entry.Line), rejects: true);
            // A report in between counts what is there so far.
            await tenant.Get($"/v1/reports/mrr?from={From}&to={To}");
        }

        var expected = await Defined(tenant);
        var counted = (await tenant.Get($"/v1/reports/mrr?from={From}&to={To}"))["rows"]!.AsArray();
        Assert.Equal(expected.Select(row => row.End), counted.Select(row => Amount(row!, "mrrEnd")));
        Assert.Equal(
            expected.Select(row => (row.Start, row.New, row.Reactivation, row.Expansion, row.Contraction, row.Churn)),
            counted.Select(row => (
                Amount(row!, "mrrStart"), Amount(row!, "mrrNew"), Amount(row!, "mrrReactivation"), Amount(row!, "mrrExpansion"),
                Amount(row!, "mrrContraction"), Amount(row!, "mrrChurn"))));
        foreach (var metric in new[]
        {
            "customers_start", "customers_lost", "customers_won_and_lost", "customers_end", "mrr_end", "mrr_churn", "lifetime_value"
        })
        {
            Assert.Equal(await Values(tenant, metric, ""), await Values(tenant, metric, "&groupBy=segment"));
        }

        var cohorts = await tenant.Get($"/v1/reports/cohorts?from={From}&to={To}");
        var before = await Rollups(tenant);
        var rebuilt = await tenant.Post("/v1/metrics/retention:rebuild");
        Assert.Equal(("40", "Europe/Berlin"), ((string)rebuilt["customerCount"]!, (string)rebuilt["timeZone"]!));
        Assert.Equal(before, await Rollups(tenant));
        // Two months read as quarters would be: from the ledger.
        var quarters = (await tenant.Get($"/v1/reports/cohorts?from={From}&to={To}&granularity=QUARTER"))["cohorts"]!.AsArray();
        var months = cohorts["cohorts"]!.AsArray();
        Assert.Equal(40, months.Sum(cohort => Count(cohort!)));
        Assert.Equal(
            Enumerable.Range(0, quarters.Count)
                .Select(quarter => months.Skip(quarter * 3).Take(3).Sum(cohort => Count(cohort!["cells"]!.AsArray()[^1]!))),
            quarters.Select(cohort => Count(cohort!["cells"]!.AsArray()[^1]!)));
        Assert.Equal(
            Enumerable.Range(0, quarters.Count)
                .Select(quarter => months.Skip(quarter * 3).Take(3).Sum(cohort => Amount(cohort!["cells"]!.AsArray()[^1]!, "mrr"))),
            quarters.Select(cohort => Amount(cohort!["cells"]!.AsArray()[^1]!, "mrr")));
    }

    [Fact]
    public async Task MonthCustomers_BehindAMovement_AreThoseWhoMoved()
    {
        var tenant = new Tenant(fixture);
        await Import(
            tenant, "/v1/customers:import", "externalId,displayName,startTime", ["a,A,2026-01-05", "b,B,2026-01-07", "c,C,2026-02-07"]);
        await Import(
            tenant, "/v1/revenue:import", "customerExternalId,externalId,type,amount,recurrence,occurTime,reason,voluntary",
            ["a,1,NEW,100,MONTHLY,2026-01-05,,", "b,2,NEW,50,MONTHLY,2026-01-07,,", "c,3,NEW,10,MONTHLY,2026-02-07,,",
                "a,4,UPSELL,20,MONTHLY,2026-02-10,,", "b,5,CHURN,,,2026-02-20,Card expired,false"]);

        var expansion = (await tenant.Get("/v1/reports/mrr/customers?month=2026-02-01&movement=EXPANSION"))["customers"]!.AsArray();
        var cohort = (await tenant.Get("/v1/reports/mrr/customers?month=2026-02-01&cohort=2026-01-01"))["customers"]!.AsArray();

        Assert.Equal(("A", "100.00", "120.00"), (
            (string)Assert.Single(expansion)!["displayName"]!, (string)expansion[0]!["mrrStart"]!["amount"]!,
            (string)expansion[0]!["mrrEnd"]!["amount"]!));
        Assert.Equal(
            ["A EXPANSION 0", "B CHURN -1"],
            cohort.Select(one => $"{one!["displayName"]} {one["movement"]} {one["customerChange"]}").Order());
        var b = (await tenant.Get($"/v1/customers?filter={Uri.EscapeDataString("state = \"CHURNED\"")}"))["customers"]!.AsArray();
        Assert.Equal(("Card expired", false), ((string)Assert.Single(b)!["churnReason"]!, (bool)b[0]!["churnVoluntary"]!));
    }

    private static IEnumerable<(int Day, string Line)> Ledger(Random random, int customer)
    {
        for (var number = 0; number < 14; number++)
        {
            var type = random.Next(10) switch
            {
                < 3 => "NEW",
                < 5 => "UPSELL",
                < 7 => "CONTRACTION",
                7 => "RENEWAL",
                8 => "CHURN",
                _ => "REACTIVATION"
            };
            var day = random.Next(0, 540);
            yield return (day,
                $"c{customer},{customer}-{number},{type},{(type == "CHURN" ? "" : random.Next(1, 900).ToString(CultureInfo.InvariantCulture))},{(random.Next(2) == 0 ? "MONTHLY" : "YEARLY")},{Time(day)}");
        }
    }

    private static string Time(int day) =>
        new DateTime(2025, 1, 1, 23, 30, 0, DateTimeKind.Utc).AddDays(day)
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static decimal Amount(JsonNode row, string name) => decimal.Parse((string)row[name]!["amount"]!, CultureInfo.InvariantCulture);

    private static int Count(JsonNode row) => int.Parse((string)row["customers"]!, CultureInfo.InvariantCulture);

    private async Task<IReadOnlyList<MrrMovements>> Defined(Tenant tenant)
    {
        var rows = await fixture.Database.Query(
            $"select customer_id, occur_time, mrr_delta from revenue where workspace_id = '{tenant.Id}' and mrr_delta <> 0");
        var start = new DateOnly(2025, 1, 1);
        var bounds = Enumerable.Range(0, 19)
            .Select(month => Lifecycle.Kernel.ReportPeriod.Midnight(start.AddMonths(month), Berlin)).ToArray();
        return Mrr.Waterfall(
            rows.Select(row => new MrrChange((Guid)row[0]!, new DateTimeOffset((DateTime)row[1]!, TimeSpan.Zero), (decimal)row[2]!)),
            bounds);
    }

    private static async Task<string> Values(Tenant tenant, string metric, string group) => string.Join(
        ' ', (await tenant.Get($"/v1/metrics/retention?from={From}&to={To}&metrics={metric}{group}"))["series"]![0]!["points"]!.AsArray()
            .Select(point => point!["value"]?.ToJsonString() ?? "-"));

    private async Task<string[]> Rollups(Tenant tenant)
    {
        var rows = new List<string>();
        foreach (var (table,
            order) in new[] { ("customer_month", "customer_id, month"), ("mrr_month", "month"), ("cohort_month", "cohort, month") })
        {
            rows.AddRange((await fixture.Database.Query(
                $"select to_jsonb(t)::text from {table} t where workspace_id = '{tenant.Id}' order by {order}"))
                .Select(row => Zeros().Replace((string)row[0]!, "$1")));
        }

        return [.. rows];
    }

    /// <summary>Zeros at the end of a fraction, and a fraction of nothing else: 262.500 and 262.5 are one amount.</summary>
    [GeneratedRegex(@"(?:\.|(\.\d*[1-9]))0+(?=[,}])")]
    private static partial Regex Zeros();

    private static async Task Import(Tenant tenant, string path, string header, IEnumerable<string> lines, bool rejects = false)
    {
        var file = header + "\n" + string.Join('\n', lines) + "\n";
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"), HttpStatusCode.OK);
        Assert.True(rejects || (int)answer["rejectedCount"]! == 0, answer.ToJsonString());
    }
}
