using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Signals from what the people of customers do.</summary>
public sealed class ActivitySignalTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Activities_NamedByRules_AreSignalsOfTheCustomerOnce()
    {
        var tenant = new Tenant(fixture);
        await Rules(tenant);
        var (lead, colleague) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await tenant.Publish(tenant.BecameCustomer(lead, Tenant.Now.AddDays(-50)));
        var customer = (string)(await tenant.CustomerOf(lead))["id"]!;
        await tenant.Post($"/v1/customers/{customer}/contacts", new { leadId = colleague, displayName = "Colleague" });
        var (export, ticket) = (Did(lead, "report EXPORTED", 45, ("rows", 40)), Did(colleague, "Ticket Opened", 1));

        await Tell(tenant, export, Did(lead, "Something Else", 1), ticket);
        await Tell(tenant, export, Did(lead, "Report Exported", 2, ("rows", "many")));

        await Eventually.Equal(
            "SUPPORT 1|USAGE 1|USAGE 40",
            async () => string.Join(
                '|', (await Signals(tenant, customer)).Select(signal => $"{signal!["kind"]} {signal["quantity"]}").Order()),
            "the signals");
        // 1 use after 40: 30 · 39/40, and one request: 15/5.
        Assert.Equal(32.25, (double)(await tenant.Get($"/v1/customers/{customer}/risk"))["score"]!);
    }

    [Fact]
    public async Task Activities_ToldBeforeTheCustomer_AreTakenOverAndFollowTheMerge()
    {
        var tenant = new Tenant(fixture);
        await tenant.Publish(new WorkspaceUpdated(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, "A", "UTC", "USD"));
        await Rules(tenant);
        var (source, target) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await Tell(tenant, Did(source, "Report Exported", 3), Did(target, "Report Exported", 4));
        await Eventually.Equal(2L, () => Held(tenant), "signals that wait");

        await tenant.Publish(new LeadsMerged(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 2, source, target));
        await tenant.Publish(tenant.BecameCustomer(target, Tenant.Now.AddDays(-1)));
        var customer = (string)(await tenant.CustomerOf(target))["id"]!;
        await Eventually.Equal(2, async () => (await Signals(tenant, customer)).Count, "the signals of both leads");
        await Tell(tenant, Did(source, "Report Exported", 2));
        await Eventually.Equal(3, async () => (await Signals(tenant, customer)).Count, "a later signal of the merged lead");
        Assert.Equal(0, await Held(tenant));
    }

    [Fact]
    public async Task Erase_LeadWithSignals_LeavesNumbersAloneAndTakesNoMore()
    {
        var tenant = new Tenant(fixture);
        await Rules(tenant);
        var (lead, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await tenant.Publish(tenant.BecameCustomer(other, Tenant.Now.AddDays(-50)));
        var customer = (string)(await tenant.CustomerOf(other))["id"]!;
        await tenant.Post($"/v1/customers/{customer}/contacts", new { leadId = lead, displayName = "Leaver" });
        await Tell(tenant, Did(lead, "Report Exported", 3, ("rows", 5)));
        await Eventually.Equal(1, async () => (await Signals(tenant, customer)).Count, "a signal");

        await tenant.Publish(new LeadErased(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 9, lead));
        await Eventually.True(
            () => Task.FromResult(fixture.Bus.Of<LeadErasureConfirmed>().Any(
                e => e.Service == "retention" && e.WorkspaceId == tenant.Id && e.LeadId == lead && e.Counts["activitySignals"] == 1)),
            "the receipt");
        await Tell(tenant, Did(lead, "Report Exported", 1), Did(other, "Report Exported", 1, ("rows", 7)));
        await Eventually.Equal(2, async () => (await Signals(tenant, customer)).Count, "the other's signal alone");

        Assert.Equal(["5 ", "7 Report Exported"], (await Signals(tenant, customer))
            .Select(signal => $"{signal!["quantity"]} {signal["name"]}").Order());
    }

    [Fact]
    public async Task Rules_FaultyOnes_AreNamedAndNothingChanges()
    {
        var tenant = new Tenant(fixture);
        await Rules(tenant);

        var refused = await tenant.Call(
            HttpMethod.Put, "/v1/signalRules", new
            {
                rules = new
                {
                    rules = new object[]
                    {
                        new { eventName = "", kind = "USAGE" }, new { eventName = "A" }, new { eventName = "a ", kind = "USAGE" }
                    }
                }
            },
            HttpStatusCode.BadRequest);

        Assert.Equal(["rules.rules[0].eventName", "rules.rules[1].kind", "rules.rules"], refused["errors"]!.AsArray().Select(
            error => (string)error!["field"]!));
        Assert.Equal(["Report Exported", "Ticket Opened"], (await tenant.Get("/v1/signalRules"))["rules"]!.AsArray()
            .Select(rule => (string)rule!["eventName"]!));
    }

    private static Task<JsonNode> Rules(Tenant tenant) => tenant.Call(HttpMethod.Put, "/v1/signalRules", new
    {
        rules = new
        {
            rules = new object[]
            {
                new { eventName = "Ticket Opened", kind = "SUPPORT" },
                new { eventName = "Report Exported", kind = "USAGE", quantityProperty = "rows" },
            },
        },
    });

    private static ActivityInfo Did(Guid lead, string name, int daysAgo, params (string Name, object Value)[] properties) => new(
        Guid.CreateVersion7(), lead, "TRACK", name, Tenant.Now.AddDays(-daysAgo), null, null,
        properties.ToDictionary(pair => pair.Name, pair => JsonSerializer.SerializeToElement(pair.Value)));

    private static Task Tell(Tenant tenant, params ActivityInfo[] activities) =>
        tenant.Publish(new ActivitiesRecorded(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, activities));

    private static async Task<JsonArray> Signals(Tenant tenant, string customer) =>
        (await tenant.Get($"/v1/customers/{customer}/signals"))["signals"]!.AsArray();

    private async Task<long> Held(Tenant tenant)
    {
        await using var connection = await fixture.Database.Administrator.OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<long>(
            "select count(*) from retention.held_signal where workspace_id = @id", new { id = tenant.Id });
    }
}
