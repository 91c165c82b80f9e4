using System.Net;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Closed revenue, told back to the tools that brought the visitor.</summary>
public sealed class RevenueExportTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private readonly TestWorkspace workspace = new(fixture, "Europe/Berlin");
    private readonly FakeCrm collector = new(FreePorts.Find(1)[0]);

    public override async ValueTask DisposeAsync()
    {
        await collector.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Win_WithAnalytics_IsCollectedAsAPurchase()
    {
        await collector.Start();
        await workspace.Announce();
        var problem = await workspace.Put("/v1/analyticsExport", new { enabled = true, endpoint = "x", eventName = "1st" },
            HttpStatusCode.BadRequest);
        Assert.Equal(["endpoint", "eventName", "measurementId"], problem["errors"]!.AsArray()
            .Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        await workspace.Put("/v1/analyticsExport", new { enabled = true, measurementId = "G-1" }, HttpStatusCode.BadRequest);
        var settings = await workspace.Put("/v1/analyticsExport",
            new { enabled = true, endpoint = collector.Address + "/collect", measurementId = "G-1", apiSecret = "s&cret" });
        Assert.Equal((true, "purchase", "gaClientId"),
            (settings["hasApiSecret"]!.GetValue<bool>(), settings["eventName"]!.GetValue<string>(),
            settings["clientIdTrait"]!.GetValue<string>()));
        var lead = await Lead("gclid:Cj0-1", new() { ["gaClientId"] = "123.456" });
        var closeTime = Times.Now.AddHours(-1);
        var deal = await workspace.Post("/v1/opportunities", new
        {
            leadId = lead,
            externalId = "T1",
            createTime = Times.March(2),
            lines = new[] { new { product = "Suite", quantity = "2", unitPrice = new { currencyCode = "USD", amount = "99.50" } } },
        });
        await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { closeTime });

        await Eventually.Equal(1, () => Task.FromResult(collector.Collected.Count), "the event is collected");
        var (query, body) = collector.Collected.Single();
        Assert.Equal("?measurement_id=G-1&api_secret=s%26cret", query);
        Assert.Equal(
            $$$"""{"client_id":"123.456","timestamp_micros":{{{closeTime.ToUnixTimeMilliseconds()}}}000,"events":[{"name":"purchase","params":{"transaction_id":"T1","value":199.00,"currency":"USD","items":[{"item_name":"Suite","quantity":2,"price":99.50}]}}]}""",
            body.ToJsonString());
        var delivery = (await workspace.Get("/v1/analyticsExport/deliveries"))["deliveries"]![0]!;
        await workspace.Post($"/v1/analyticsExport/deliveries/{delivery["id"]}:replay", new { });
        await Eventually.Equal(2, () => Task.FromResult(collector.Collected.Count), "it is sent again");
        Assert.DoesNotContain("cret", await Fixture.Database.Scalar<string>(
            "select api_secret from analytics_export where workspace_id = $1", workspace.Id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfflineConversions_WonDealsByClick_AreACsvForAdvertisers()
    {
        foreach (var (click, day) in new[] { ("gclid:Cj0-1", 10), ("gclid:=EVIL,\"1\"", 11), ("msclkid:9", 12) })
        {
            await Win(click, day);
        }

        var csv = await Csv("from=2026-03-01&to=2026-04-01");

        Assert.Equal(
            "Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency\r\n"
            + "Cj0-1,Closed won,2026-03-10 13:00:00+01:00,1250.50,USD\r\n"
            + "\"'=EVIL,\"\"1\"\"\",Closed won,2026-03-11 13:00:00+01:00,1250.50,USD\r\n",
            csv);
        Assert.Contains("9,Deal,2026-03-12", await Csv("from=2026-03-01&to=2026-04-01&clickIdType=msclkid&conversionName=Deal"),
            StringComparison.Ordinal);
        await workspace.Get("/v1/exports/offlineConversions?from=soon", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task OfflineConversions_HandedOut_AreLoggedAndToldOnceWhereAsked()
    {
        await Win("gclid:A", 10);
        await Win("gclid:B", 11);

        var first = await Csv("from=2026-03-01&to=2026-03-11&onlyNew=true");
        var second = await Csv("from=2026-03-01&to=2026-04-01&onlyNew=true");
        var third = await Csv("from=2026-03-01&to=2026-04-01&onlyNew=true");
        var all = await Csv("from=2026-03-01&to=2026-04-01");

        Assert.Equal(["A"], Clicks(first));
        Assert.Equal(["B"], Clicks(second));
        Assert.Empty(Clicks(third));
        Assert.Equal(["A", "B"], Clicks(all));
        var log = (await workspace.Get("/v1/analyticsExport/offlineExports"))["offlineExports"]!.AsArray();
        Assert.Equal(
            [(2, false), (0, true), (1, true), (1, true)], log.Select(entry => ((int)entry!["conversions"]!, (bool)entry["onlyNew"]!)));
        Assert.Equal("gclid", (string?)log[0]!["clickIdType"]);
        Assert.Equal(second, await Csv($"exportId={log[2]!["id"]}"));
        await workspace.Get($"/v1/exports/offlineConversions?exportId={Guid.CreateVersion7()}", HttpStatusCode.NotFound);
        Assert.Equal(4, (await workspace.Get(
            "/v1/analyticsExport/offlineExports?filter=clickIdType%20%3D%20%22gclid%22"))["offlineExports"]!.AsArray().Count);
    }

    private static IEnumerable<string> Clicks(string csv) =>
        csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')[0]);

    private async Task Win(string click, int day)
    {
        var deal = await workspace.Post(
            "/v1/opportunities",
            new { leadId = await Lead(click, []), createTime = Times.March(2), amount = new { currencyCode = "USD", amount = "1250.5" } });
        await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { closeTime = Times.March(day) });
    }

    private async Task<string> Csv(string query)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get,
            new Uri(Fixture.Service.Http, $"/v1/exports/offlineConversions?{query}"));
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace.Id, "Europe/Berlin", "USD"));
        using var response = await client.SendAsync(request);
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadAsStringAsync();
    }

    private async Task<Guid> Lead(string clickId, Dictionary<string, string> traits)
    {
        var lead = Guid.CreateVersion7();
        var captured = workspace.Captured(lead, Times.March(1));
        await workspace.Bus.Publish(captured with { FirstTouch = captured.FirstTouch with { ClickId = clickId }, Traits = traits });
        await workspace.UntilStage(lead, "LEAD");
        return lead;
    }
}
