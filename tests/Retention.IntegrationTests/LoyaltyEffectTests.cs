using System.Net.Http.Headers;
using System.Text;

namespace Retention.IntegrationTests;

/// <summary>Whether members of a program stay and buy more than others, by worked numbers.</summary>
public sealed class LoyaltyEffectTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Report_FortyMembersAgainstFortyOthers_TellsTheDifferenceWithItsInterval()
    {
        var tenant = new Tenant(fixture);
        var customers = await Import(tenant, 80, "2026-01-05");
        var club = (string)(await tenant.Post("/v1/loyaltyPrograms", new { displayName = "Club" }))["id"]!;
        foreach (var customer in customers.Take(40))
        {
            await tenant.Post($"/v1/loyaltyPrograms/{club}:addPoints", new { customerId = customer, points = 10 });
        }

        // Points are given now; the members joined before the period.
        await fixture.Database.Query("update loyalty_member set join_time = '2026-02-01Z' where workspace_id = $1", tenant.Id);
        // 2 of 40 members and 10 of 40 others leave in March; one leaves after it. 12 members and 4 others buy more.
        foreach (var customer in customers.Take(2).Concat(customers.Skip(40).Take(10)))
        {
            await tenant.Post($"/v1/customers/{customer}:churn", new { reason = "Price", churnTime = "2026-03-10T12:00:00Z" });
        }

        await tenant.Post($"/v1/customers/{customers[5]}:churn", new { reason = "Price", churnTime = "2026-04-10T12:00:00Z" });
        foreach (var customer in customers.Skip(10).Take(12).Concat(customers.Skip(60).Take(4)))
        {
            await tenant.Post(
                $"/v1/customers/{customer}/revenue",
                new
                {
                    type = "UPSELL",
                    amount = new { currencyCode = "USD", amount = "50.00" },
                    recurrence = "ONE_OFF",
                    occurTime = "2026-03-12T12:00:00Z"
                });
        }

        var program = Assert.Single(
            (await tenant.Get("/v1/reports/advocacy?from=2026-03-01&to=2026-04-01&groupBy=cohort"))["loyaltyPrograms"]!.AsArray())!;

        Assert.Equal(
            ("40", "40", ""), ((string)program["comparedMembers"]!, (string)program["comparedOthers"]!, (string)program["effectNote"]!));
        var (stayed, grew) = (program["retentionEffect"]!, program["upsellEffect"]!);
        // 38/40 - 30/40, variance 0.95 * 0.05 / 40 + 0.75 * 0.25 / 40; 12/40 - 4/40.
        Assert.Equal(
            (0.95, 0.75, 0.2, 0.0498, 0.3502),
            (Rounded(stayed, "membersShare"), Rounded(stayed, "othersShare"), Rounded(stayed, "difference"), Rounded(stayed, "low"),
                Rounded(stayed, "high")));
        Assert.Equal((0.3, 0.1, 0.2), (Rounded(grew, "membersShare"), Rounded(grew, "othersShare"), Rounded(grew, "difference")));
        Assert.Contains("Club", await tenant.Csv("/v1/reports/advocacy?from=2026-03-01&to=2026-04-01"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_OfAFewMembers_SaysWhatIsMissing()
    {
        var tenant = new Tenant(fixture);
        var customers = await Import(tenant, 3, "2026-01-05");
        var club = (string)(await tenant.Post("/v1/loyaltyPrograms", new { displayName = "Club" }))["id"]!;
        await tenant.Post($"/v1/loyaltyPrograms/{club}:addPoints", new { customerId = customers[0], points = 10 });
        await fixture.Database.Query("update loyalty_member set join_time = '2026-02-01Z' where workspace_id = $1", tenant.Id);

        var program = Assert.Single(
            (await tenant.Get("/v1/reports/advocacy?from=2026-03-01&to=2026-04-01"))["loyaltyPrograms"]!.AsArray())!;

        Assert.Null(program["retentionEffect"]);
        Assert.Equal(
            "Members: 1; other customers of the same starting months: 2. A comparison takes 30 of each.", (string)program["effectNote"]!);
    }

    private static double Rounded(System.Text.Json.Nodes.JsonNode effect, string field) => Math.Round((double)effect[field]!, 4);

    private static async Task<string[]> Import(Tenant tenant, int count, string start)
    {
        var file = new StringBuilder("externalId,displayName,startTime\n");
        for (var index = 0; index < count; index++)
        {
            file.Append(System.Globalization.CultureInfo.InvariantCulture, $"c{index:000},Customer {index},{start}\n");
        }

        using var content = new StringContent(file.ToString(), Encoding.UTF8, new MediaTypeHeaderValue("text/csv"));
        await tenant.Call(HttpMethod.Post, "/v1/customers:import", content);
        var list = (await tenant.Get("/v1/customers?pageSize=1000"))["customers"]!.AsArray();
        return [.. list.OrderBy(customer => (string)customer!["externalId"]!, StringComparer.Ordinal)
            .Select(customer => (string)customer!["id"]!)];
    }
}
