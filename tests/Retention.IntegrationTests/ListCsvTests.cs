namespace Retention.IntegrationTests;

/// <summary>The lists below a customer and a loyalty program are tables too.</summary>
public sealed class ListCsvTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Contacts_EntriesAndMembers_AsCsv_AreTheRowsOfTheList()
    {
        var tenant = new Tenant(fixture);
        var id = (string)(await tenant.Post("/v1/customers", new { displayName = "A", startTime = "2026-01-01T00:00:00Z" }))["id"]!;
        await tenant.Post($"/v1/customers/{id}/contacts", new { email = "billing@example.com", displayName = "Doe, J.", role = "billing" });
        await tenant.Post(
            $"/v1/customers/{id}/revenue",
            new
            {
                type = "NEW",
                amount = new { currencyCode = "USD", amount = "12.50" },
                recurrence = "MONTHLY",
                occurTime = "2026-01-05T00:00:00Z",
                externalId = "r-1"
            });
        var program = (string)(await tenant.Post(
            "/v1/loyaltyPrograms", new { displayName = "Club", tiers = new[] { new { name = "Member", minPoints = 0 } } }))["id"]!;
        await tenant.Post($"/v1/loyaltyPrograms/{program}:addPoints", new { customerId = id, points = 60 });

        var contacts = await Lines(tenant, $"/v1/customers/{id}/contacts");
        var entries = await Lines(tenant, $"/v1/customers/{id}/revenue");
        var members = await Lines(tenant, $"/v1/loyaltyPrograms/{program}/members");

        Assert.Equal("id,customerId,leadId,displayName,email,role", contacts[0]);
        Assert.EndsWith($",{id},,\"Doe, J.\",billing@example.com,billing", contacts[1], StringComparison.Ordinal);
        Assert.StartsWith("id,customerId,type,amount", entries[0], StringComparison.Ordinal);
        Assert.Contains($",{id},NEW,12.50,", entries[1], StringComparison.Ordinal);
        Assert.Equal("customerId,balance,tier,joinTime", members[0]);
        Assert.StartsWith($"{id},60,Member,", members[1], StringComparison.Ordinal);
        Assert.Equal((2, 2, 2), (contacts.Length, entries.Length, members.Length));
    }

    private static async Task<string[]> Lines(Tenant tenant, string path) =>
        (await tenant.Csv(path)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
}
