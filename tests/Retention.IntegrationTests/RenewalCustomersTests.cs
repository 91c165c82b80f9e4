namespace Retention.IntegrationTests;

/// <summary>The customers behind a row of the renewals, as a table.</summary>
public sealed class RenewalCustomersTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Customers_BehindARowOfTheRenewals_AreATableOfAsManyRows()
    {
        var tenant = new Tenant(fixture, Tenant.NoonZone);
        var today = tenant.Today;
        foreach (var (days, name) in new[] { (31, "a"), (45, "=b"), (60, "c, d"), (75, "far"), (50, "left") })
        {
            var customer = await tenant.Post(
                "/v1/customers", new
                {
                    displayName = name,
                    startTime = "2025-12-01T00:00:00Z",
                    renewalDate = today.AddDays(days).ToString("yyyy-MM-dd", null)
                });
            if (name == "left")
            {
                await tenant.Post($"/v1/customers/{customer["id"]}:churn", new { reason = "Price" });
            }
        }

        var row = (await tenant.Get("/v1/reports/renewals"))["rows"]![2]!;
        var filter = $"renewalDate >= \"{row["from"]}\" AND renewalDate <= \"{row["to"]}\" AND state != \"CHURNED\"";
        var lines = (await tenant.Csv($"/v1/customers?orderBy=displayName&filter={Uri.EscapeDataString(filter)}"))
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(("WITHIN_60_DAYS", "3"), ((string)row["horizon"]!, (string)row["customers"]!));
        Assert.StartsWith("id,leadId,externalId,displayName,state,", lines[0], StringComparison.Ordinal);
        Assert.Equal(3, lines.Length - 1);
        Assert.Contains(lines, line => line.Contains("\"c, d\"", StringComparison.Ordinal));
        Assert.DoesNotContain(
            lines, line => line.Contains("left", StringComparison.Ordinal) || line.Contains("far", StringComparison.Ordinal));
    }
}
