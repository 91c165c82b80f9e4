using System.Text;
using System.Text.Json.Nodes;

namespace Retention.IntegrationTests;

/// <summary>The metrics of the service by segment, plan, source and cohort, on a history of three customers.</summary>
public sealed class CohortMetricTests(RetentionFixture fixture)
{
    // The public contract's list.
    private static readonly string[] Named =
        ("customers_start customers_lost churn_rate total_sales upsell_revenue upsell_share nps nps_responses mrr_start mrr_new "
        + "mrr_expansion mrr_contraction mrr_churn mrr_reactivation mrr_end grr nrr "
        + "advocates referrals campaign_open_rate campaign_click_rate").Split(' ');

    [Fact]
    public async Task Metrics_ByCohort_AreThoseOfTheMonthOfTheStartInTheWorkspacesZone()
    {
        // Begins on 1 March in Berlin, still in February in UTC.
        var tenant = new Tenant(fixture, "Europe/Berlin");
        await Import(
            tenant, "/v1/customers:import",
            "externalId,startTime,segment,plan\na,2026-01-10T00:00:00Z,big,pro\nb,2026-02-28T23:30:00Z,small,basic\nc,2026-03-05T00:00:00Z,small,pro\n");
        await Import(
            tenant, "/v1/revenue:import",
            "customerExternalId,externalId,type,amount,recurrence,occurTime\na,1,NEW,1000,MONTHLY,2026-01-10T00:00:00Z\nb,2,NEW,200,MONTHLY,2026-03-01T00:00:00Z\nc,3,NEW,300,MONTHLY,2026-03-05T00:00:00Z\n"
            + "a,4,UPSELL,250,MONTHLY,2026-03-10T00:00:00Z\nb,5,CONTRACTION,50,MONTHLY,2026-04-10T00:00:00Z\nc,6,CHURN,,,2026-04-12T00:00:00Z\n");

        var (start, lost, rate) = (await By(tenant, "customers_start", "cohort"), await By(tenant, "customers_lost", "cohort"), await By(
            tenant, "churn_rate", "cohort"));

        // March and April of each cohort.
        Assert.Equal(["2026-01: 1 1", "2026-03: 0 2"], start);
        Assert.Equal(["2026-01: 0 0", "2026-03: 0 1"], lost);
        Assert.Equal(["2026-01: 0 0", "2026-03: - 0.5"], rate);
        Assert.Equal(["2026-01: 1250 1250", "2026-03: 500 150"], await By(tenant, "mrr_end", "cohort"));
        Assert.Equal(["2026-01: 1 1", "2026-03: - 0.3"], await By(tenant, "grr", "cohort"));
        Assert.Equal(["2026-01: 1.25 1", "2026-03: - 0.3"], await By(tenant, "nrr", "cohort"));
        Assert.Equal(["2026-01: 1 -", "2026-03: 0 -"], await By(tenant, "upsell_share", "cohort"));
        Assert.Equal(["big: 1250 1250", "small: 500 150"], await By(tenant, "mrr_end", "segment"));
        Assert.Equal(["basic: 200 150", "pro: 1550 1250"], await By(tenant, "mrr_end", "plan"));
        Assert.Equal([": 1750 1400"], await By(tenant, "mrr_end", "source"));
        var curves = (await tenant.Get("/v1/reports/survival?from=2026-01-01&to=2026-04-01&groupBy=cohort"))["curves"]!.AsArray();
        Assert.Equal(["2026-01 1", "2026-03 2"], curves.Select(curve => $"{curve!["group"]} {curve["customers"]}").Order());
    }

    [Theory]
    [InlineData("segment")]
    [InlineData("plan")]
    [InlineData("source")]
    [InlineData("cohort")]
    public async Task Metrics_OfTheContract_AreEachThereInEveryDimension(string dimension)
    {
        var tenant = new Tenant(fixture);
        await tenant.Post("/v1/customers", new { displayName = "A", segment = "big", plan = "pro", startTime = "2026-01-10T00:00:00Z" });

        var all = await tenant.Get("/v1/metrics/retention?from=2026-01-01&to=2026-04-01&granularity=MONTH");
        Assert.Empty(Named.Except(all["series"]!.AsArray().Select(series => (string)series!["metric"]!)));
        foreach (var metric in Named)
        {
            var answer = await tenant.Get(
                $"/v1/metrics/retention?from=2026-01-01&to=2026-04-01&granularity=MONTH&groupBy={dimension}&metrics={metric}");
            Assert.All(answer["series"]!.AsArray(), series => Assert.Equal(metric, (string)series!["metric"]!));
        }
    }

    private static async Task<string[]> By(Tenant tenant, string metric, string dimension) =>
    [
        .. (await tenant.Get(
            $"/v1/metrics/retention?from=2026-03-01&to=2026-05-01&granularity=MONTH&groupBy={dimension}&metrics={metric}"))["series"]!
            .AsArray()
            .Select(series => $"{series!["group"]![dimension]}: {string.Join(' ', series["points"]!.AsArray().Select(Value))}")
            .Order(StringComparer.Ordinal),
    ];

    private static string Value(JsonNode? point) =>
        point!["value"] is { } value ? Math.Round((double)value, 6).ToString(System.Globalization.CultureInfo.InvariantCulture) : "-";

    private static async Task Import(Tenant tenant, string path, string file)
    {
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"));
        Assert.True((int)answer["rejectedCount"]! == 0, answer.ToJsonString());
    }
}
