using System.Net;

namespace Capture.IntegrationTests;

public sealed class MetricsTests(CaptureFixture fixture)
{
    [Fact]
    public async Task Metrics_WorkedNumbers_AreThese()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Walk("a", "ada@acme.example"));
        await workspace.Batch(
            Messages.Page("b", "2026-03-10T10:00:00Z", "https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring"),
            Messages.Page("c", "2026-03-10T10:00:00Z"),
            new
            {
                type = "track",
                @event = "Call Received",
                anonymousId = "c",
                timestamp = "2026-03-10T10:05:00Z",
                properties = new { callerNumber = "+49 30 123456" }
            });
        await workspace.Import(
            "/v1/spend:import",
            "date,source,medium,campaign,amount,impressions,clicks\n2026-03-05,google,cpc,spring,300,1000,25\n2026-04-01,google,cpc,spring,50,10,1\n");

        async Task Expect(string metric, string? group, params double?[] values) =>
            Assert.Equal(values, await workspace.Metric(metric, "2026-02-01", "2026-05-01", group: group));

        await Expect("visitors", null, 0, 3, 0);
        await Expect("sessions", null, 0, 4, 0);
        await Expect("page_views", null, 0, 6, 0);
        await Expect("leads", null, 0, 2, 0);
        await Expect("form_leads", null, 0, 1, 0);
        await Expect("call_leads", null, 0, 1, 0);
        await Expect("visitor_to_lead_rate", null, null, 2 / 3d, null);
        await Expect("spend", null, 0, 300, 50);
        await Expect("cost_per_lead", null, null, 150, null);
        await Expect("click_through_rate", null, null, 0.025, 0.1);
        await Expect("sessions", "channel=Paid Search", 0, 2, 0);
        await Expect("cost_per_lead", "campaign=spring", null, 300, null);
        await Expect("visitor_to_lead_rate", "channel=Direct", null, 1, null);
        await Expect("leads", "captureType=CALL", 0, 1, 0);
        await Expect("leads", "formType=demo", 0, 1, 0);
    }

    [Fact]
    public async Task Metrics_ZoneWithSummerTime_CutsDaysAtLocalMidnight()
    {
        // In Berlin 29 March 2026 has 23 hours: it lasts from 28 March 23:00 to 29 March 22:00 UTC.
        var workspace = fixture.Workspace("Europe/Berlin");
        string[] times = ["2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"];
        await workspace.Batch(times.Select((time, index) => Messages.Form($"d{index}", time, $"p{index}@acme.example")).ToArray());

        Assert.Equal([1, 2, 1], await workspace.Metric("leads", "2026-03-28", "2026-03-31", "DAY"));
        Assert.Equal([1, 2, 1], await workspace.Metric("sessions", "2026-03-28", "2026-03-31", "DAY"));
    }

    [Fact]
    public async Task Metrics_Faults_AreNamedAll()
    {
        var (status, body) = await fixture.Workspace().Get("/v1/metrics/capture?from=2026-13-01&to=x&groupBy=colour&metrics=leads,moons");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["from", "groupBy", "metrics", "to"], body["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>())
            .Order(StringComparer.Ordinal));
    }
}
