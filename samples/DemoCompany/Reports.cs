using System.Text.Json.Nodes;

namespace DemoCompany;

/// <summary>Reads the numbers of the history as any client may.</summary>
internal sealed class Reports(Gateway gateway, Plan plan)
{
    private string Period => $"from={plan.From}&to={plan.To}";

    /// <summary>The workspace's currency, which is the unit of what is spent.</summary>
    public async Task<string> Currency(CancellationToken ct) => (await Series("capture", "spend", "YEAR", ct)).Text("unit");

    /// <summary>Leads that the stage ledger knows.</summary>
    public async Task<double> Leads(CancellationToken ct)
    {
        var funnel = await gateway.Get($"/v1/reports/funnel?{Period}", ct);
        return funnel["stages"]?.AsArray().FirstOrDefault(stage => stage!.Text("stage") == "LEAD")?.Number("entered") ?? 0;
    }

    /// <summary>A count over the whole history.</summary>
    public async Task<double> Sum(string service, string metric, CancellationToken ct, string granularity = "YEAR") =>
        (await Series(service, metric, granularity, ct))["points"]?.AsArray().Sum(point => point!.Number("value")) ?? 0;

    public async Task Print(string key, Progress progress, CancellationToken ct)
    {
        var nps = (await gateway.Get($"/v1/reports/nps?{Period}", ct))["rows"]?.AsArray() ?? [];
        double Answers(string kind) => nps.Sum(row => row!.Number(kind));
        var all = Answers("promoters") + Answers("passives") + Answers("detractors");
        var mrr = (await Series("retention", "mrr_end", "MONTH", ct))["points"]!.AsArray()
            .Where(point => point!["value"] is not null)
            .Select(point => point!.Number("value")).ToList();
        var (won, lost) = (await Sum("conversion", "new_customers", ct), await Sum("retention", "customers_lost", ct, "MONTH"));

        Console.WriteLine();
        Line("Visitors", $"{await Sum("capture", "visitors", ct):N0}");
        Line("Leads", $"{await Sum("capture", "leads", ct):N0}");
        Line("MQLs", $"{await Sum("conversion", "mqls", ct):N0}");
        Line("SQLs", $"{await Sum("conversion", "sqls", ct):N0}");
        Line("Customers", $"{won:N0} new, {lost:N0} lost");
        Line("MRR", mrr.Count == 0 ? "none" : $"{mrr[0]:N0} at the end of the first month, {mrr[^1]:N0} now");
        Line("NPS", all == 0 ? "none" : $"{100 * (Answers("promoters") - Answers("detractors")) / all:0} from {all:N0} answers");
        Console.WriteLine();
        await PrintSources(ct);
        Console.WriteLine();
        progress.Say("done; the workspace's key:");
        Console.WriteLine($"           {key}");
    }

    private async Task PrintSources(CancellationToken ct)
    {
        Console.WriteLine($"{"Channel",-18} {"leads",6} {"MQLs",6} {"SQLs",6} {"won",5} {"revenue",11} {"spend",11} {"ROI",7}");
        var rows = (await gateway.Get($"/v1/reports/source?{Period}&groupBy=channel", ct))["rows"]?.AsArray() ?? [];
        foreach (var row in rows.Select(row => row!).OrderByDescending(row => row.Number("leads")))
        {
            var (leads, mqls, sqls, won) = (row.Number("leads"), row.Number("mqls"), row.Number("sqls"), row.Number("customers"));
            var (revenue, spend, roi) = (Money(row, "revenue"), Money(row, "spend"), row["roi"] is null ? "" : $"{row.Number("roi"):0.0}");
            var counts = $"{leads,6:N0} {mqls,6:N0} {sqls,6:N0} {won,5:N0}";
            Console.WriteLine($"{row["group"]?.Text("channel"),-18} {counts} {revenue,11:N0} {spend,11:N0} {roi,7}".TrimEnd());
        }
    }

    private static double Money(JsonNode row, string name) => row[name]?.Number("amount") ?? 0;

    private static void Line(string name, string value) => Console.WriteLine($"{name,-12}{value}");

    private async Task<JsonNode> Series(string service, string metric, string granularity, CancellationToken ct) =>
        (await gateway.Get($"/v1/metrics/{service}?{Period}&granularity={granularity}&metrics={metric}", ct))["series"]?.AsArray()
            .FirstOrDefault()
            ?? throw new GatewayException($"The {service} service does not tell the metric {metric}.");
}
