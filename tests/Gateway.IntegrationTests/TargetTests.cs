using System.Globalization;
using System.Text;
using Lifecycle.Testing;

namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>Targets that are likely to be missed are warned of: once by an event, and in the scorecard while they are.</summary>
[Collection(nameof(GatewayGroup))]
public sealed class TargetTests(GatewayFixture gateway)
{
    [Fact]
    public async Task Targets_OutOfReach_AreWarnedOfOncePerLevelAndPeriod()
    {
        var (workspace, key) = await gateway.NewWorkspace("Europe/Berlin", "EUR");
        var id = Guid.Parse(workspace);
        // The backend tells as many leads on each day as the month has number: a thousand a day is out of reach, one a month is met at
        // once.
        using var targets = new StringContent(
            """{"targets":[{"service":"capture","metric":"leads","value":1000000},{"service":"scoring","metric":"leads","value":1}]}""",
            Encoding.UTF8, "application/json");
        await gateway.Send(HttpMethod.Put, "/v1/targets", key, targets);

        await Eventually.Equal(
            "MONTH CRITICAL, QUARTER CRITICAL",
            () => gateway.Database.Scalar<string>(
                "select coalesce(string_agg(granularity || ' ' || level, ', ' order by granularity), '') from target_alert where workspace_id = $1 and service = 'capture'",
                id)!,
            "warnings are there");
        Assert.Equal(0L, await gateway.Database.Scalar<long>(
            "select count(*) from target_alert where workspace_id = $1 and service = 'scoring'", id));

        // Looked at again, it is not told again.
        await gateway.Database.Query("update target_check set due_time = now() - interval '1 second' where workspace_id = $1", id);
        await Eventually.Equal(
            0L, () => gateway.Database.Scalar<long>(
                "select count(*) from target_check where workspace_id = $1 and due_time < now() + interval '30 minutes'", id),
            "they were looked at again");
        Assert.Equal(2L, await gateway.Database.Scalar<long>("select count(*) from target_alert where workspace_id = $1", id));

        var today = TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        var month = new DateOnly(today.Year, today.Month, 1);
        var card = (await gateway.Get($"/v1/reports/scorecard?from={Text(month)}&to={Text(month.AddMonths(1))}", key)).Json;
        var point = card["outcomes"]!.AsArray()
            .Single(metric => (string)metric!["service"]! == "capture" && (string)metric["metric"]! == "leads")!["points"]![0]!;
        Assert.Equal(("CRITICAL", true), (
            (string)point["risk"]!, (double)point["forecastLow"]! <= (double)point["forecast"]! && (double)point["probability"]! < 0.01));
        Assert.Equal(
            ["MONTH 1000000", "QUARTER 3000000"],
            card["warnings"]!.AsArray().Select(warning => $"{warning!["granularity"]} {warning["target"]}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Scorecard_AsCsv_HasActivitiesAndOutcomes()
    {
        var answer = await gateway.Get(
            "/v1/reports/scorecard?from=2026-01-01&to=2026-03-01", gateway.Key,
            also: request => request.Headers.Accept.ParseAdd("text/csv"));

        Assert.Equal("text/csv", answer.Type);
        var lines = answer.Body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith(
            "section,service,metric,unit,start,value,previousValue,change,target,status,forecast", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("activities,capture,sessions,count,2026-01-01,1,", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("outcomes,capture,leads,count,2026-02-01,2,1,1,", StringComparison.Ordinal));
    }

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
