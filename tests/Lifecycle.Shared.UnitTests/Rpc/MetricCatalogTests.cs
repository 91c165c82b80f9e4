using Lifecycle.Common.V1;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Shared.UnitTests.Rpc;

public sealed class MetricCatalogTests
{
    private static readonly MetricCatalog Catalog = new(
        "capture",
        [
            new("leads", MetricKind.Outcome, "count"),
            new("spend", MetricKind.Activity, MetricDefinition.MoneyUnit),
            new("cost_per_lead", MetricKind.Outcome, MetricDefinition.MoneyUnit) { Additive = false },
        ],
        ["channel"]);

    [Fact]
    public void Parse_EveryFault_IsNamed()
    {
        var request = new QueryMetricsRequest { From = "2026-01-01", To = "soon", GroupBy = "moon", Metrics = { "leads,sun" } };

        var error = Catalog.Parse(request, TimeZoneInfo.Utc, "EUR").Error!;

        Assert.Equal(["metrics", "groupBy", "to"], error.Violations.Select(violation => violation.Field));
        Assert.Contains("leads, spend, cost_per_lead", error.Violations[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_NoDenominator_GivesAPointWithoutValue()
    {
        var query = Parse(groupBy: "");
        var answer = new MetricsAnswer(query);
        answer.Add("spend", "", 0, 100);
        answer.Set("cost_per_lead", "", 0, MetricsAnswer.Ratio(100, 0));

        var series = answer.Build().Series.ToDictionary(one => one.Metric);

        Assert.Equal(0, series["leads"].Points[0].Value);
        Assert.Equal(100, series["spend"].Points[0].Value);
        Assert.Equal("EUR", series["spend"].Unit);
        Assert.False(series["cost_per_lead"].Points[0].HasValue);
        Assert.Equal(["2026-01-01", "2026-02-01"], series["leads"].Points.Select(point => point.Start));
    }

    [Fact]
    public void Build_Grouped_GivesOneSeriesPerGroupAndMetricInTheOrderAsked()
    {
        var answer = new MetricsAnswer(Parse(groupBy: "channel"));
        answer.Add("leads", "Paid Search", 1, 2);
        answer.Add("leads", "Direct", 0, 1);
        answer.Add("leads", "Direct", -1, 5);

        var leads = answer.Build().Series.Where(one => one.Metric == "leads").ToList();

        Assert.Equal(["Direct", "Paid Search"], leads.Select(one => one.Group["channel"]));
        Assert.Equal([1d, 0d], leads[0].Points.Select(point => point.Value));
        Assert.Equal([0d, 2d], leads[1].Points.Select(point => point.Value));
    }

    private static MetricsQuery Parse(string groupBy) =>
        Catalog.Parse(new() { From = "2026-01-01", To = "2026-03-01", GroupBy = groupBy }, TimeZoneInfo.Utc, "EUR").Value;
}
