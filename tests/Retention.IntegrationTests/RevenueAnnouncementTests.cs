using System.Globalization;
using System.Net;
using System.Text;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Entries of an import are told in portions after it: each, once, with the version of its writing.</summary>
public sealed class RevenueAnnouncementTests(RetentionFixture fixture)
{
    private const string Header = "customerExternalId,externalId,type,amount,recurrence,occurTime,reason\n";

    [Fact]
    public async Task ImportRevenue_OfSeveralPortions_TellsEachEntryOnceWithItsVersion()
    {
        var tenant = new Tenant(fixture);
        await Import(tenant, "/v1/customers:import", "externalId,startTime\na,2026-01-01\nb,2026-01-01\n");
        var upsells = Enumerable.Range(1, 240).Select(number => string.Create(
            CultureInfo.InvariantCulture, $"{(number % 2 == 0 ? "a" : "b")},{number},UPSELL,{number},MONTHLY,2026-02-01,\n"));

        await Import(tenant, "/v1/revenue:import", Header + string.Concat(upsells)
            + "a,241,CHURN,,,2026-03-01,Price\na,242,REACTIVATION,7,MONTHLY,2026-04-01,\n");

        await Eventually.Equal(242, () => Task.FromResult(Moved(tenant).Length), "an event for each entry");
        await Eventually.Equal(1, () => Task.FromResult(Churned(tenant).Length), "the loss");
        var ids = (await tenant.Get("/v1/customers"))["customers"]!.AsArray()
            .ToDictionary(one => (string)one!["externalId"]!, one => Guid.Parse((string)one!["id"]!));
        // 120 upsells, the loss, which is told twice, and the return.
        Assert.Equal([.. Enumerable.Range(1, 121), 123], Of(tenant, ids["a"]).Select(e => (int)e.Version));
        Assert.Equal(Enumerable.Range(1, 120).Select(number => number * 2m).Append(14_520m).Append(7m), Of(tenant, ids["a"])
            .Select(e => e.Amount.Amount));
        Assert.Equal(Enumerable.Range(1, 120), Of(tenant, ids["b"]).Select(e => (int)e.Version));
        Assert.Equal(("CHURN", "MONTHLY", "USD"), (
            Of(tenant, ids["a"])[^2].Type, Of(tenant, ids["b"])[0].Recurrence, Of(tenant, ids["b"])[0].Amount.CurrencyCode));
        var lost = Churned(tenant)[0];
        Assert.Equal((ids["a"], 122L, "Price", new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)), (
            lost.CustomerId, lost.Version, lost.Reason, lost.OccurredAt));
        Assert.Equal(0, await Untold(tenant));
    }

    [Fact]
    public async Task ImportRevenue_DryRun_TellsAndKeepsNothing()
    {
        var tenant = new Tenant(fixture);
        await Import(tenant, "/v1/customers:import", "externalId,startTime\na,2026-01-01\n");

        await Import(tenant, "/v1/revenue:import?dryRun=true", Header + "a,1,NEW,5,MONTHLY,2026-02-01,\n");
        await Import(tenant, "/v1/revenue:import", Header + "a,2,NEW,6,MONTHLY,2026-02-01,\n");

        await Eventually.Equal(1, () => Task.FromResult(Moved(tenant).Length), "the entry that was kept");
        Assert.Equal((6m, 0), (Moved(tenant)[0].Amount.Amount, await Untold(tenant)));
    }

    [Fact]
    public async Task Announcement_LeftByAnotherProcess_IsToldInTheNextRound()
    {
        var tenant = new Tenant(fixture);
        await Import(tenant, "/v1/customers:import", "externalId,startTime\na,2026-01-01\n");
        await Import(tenant, "/v1/revenue:import", Header + "a,1,NEW,5,MONTHLY,2026-02-01,\n");
        await Eventually.Equal(1, () => Task.FromResult(Moved(tenant).Length), "the entry");

        await tenant.Announce();
        await fixture.Database.Query(
            "insert into revenue_announcement (workspace_id, id, revenue_ids, versions) select workspace_id, gen_random_uuid(), array[id], array[1] from revenue where workspace_id = $1",
            tenant.Id);

        await Eventually.Equal(2, () => Task.FromResult(Moved(tenant).Length), "the entry once more");
        await Eventually.Equal(0, () => Untold(tenant), "nothing is left");
    }

    [Fact]
    public async Task ImportCustomers_OfWhomNothingSpeaksForALoss_AreScoredAtOnce()
    {
        var tenant = new Tenant(fixture);
        await tenant.Announce();
        await Import(tenant, "/v1/customers:import", "externalId,renewalDate\na,\nb,2025-01-01\n");

        var customers = (await tenant.Get("/v1/customers?orderBy=displayName"))["customers"]!.AsArray();

        Assert.Equal(0d, (double?)customers.Single(one => (string)one!["externalId"]! == "a")!["riskScore"]);
        var b = (string)customers.Single(one => (string)one!["externalId"]! == "b")!["id"]!;
        await Eventually.Equal(
            10d, async () => (double?)(await tenant.Get($"/v1/customers/{b}"))["riskScore"], "the job's score of an overdue renewal");
    }

    private RevenueMoved[] Moved(Tenant tenant) =>
        [.. fixture.Bus.Of<RevenueMoved>().Where(e => e.WorkspaceId == tenant.Id).DistinctBy(e => e.EventId)];

    private RevenueMoved[] Of(Tenant tenant, Guid customerId) =>
        [.. Moved(tenant).Where(e => e.CustomerId == customerId).OrderBy(e => e.Version)];

    private CustomerChurned[] Churned(Tenant tenant) =>
        [.. fixture.Bus.Of<CustomerChurned>().Where(e => e.WorkspaceId == tenant.Id).DistinctBy(e => e.EventId)];

    private async Task<int> Untold(Tenant tenant) =>
        (int)await fixture.Database.Scalar<long>("select count(*) from revenue_announcement where workspace_id = $1", tenant.Id);

    private static async Task Import(Tenant tenant, string path, string file)
    {
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"), HttpStatusCode.OK);
        Assert.Equal(0, (int)answer["rejectedCount"]!);
    }
}
