using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Entries that are asked for at the same time are written together and must read as if each had come alone.</summary>
public sealed class RevenueTogetherTests(RetentionFixture fixture)
{
    [Fact]
    public async Task AddRevenue_ManyAtOnce_AddsEachToItsCustomer()
    {
        var tenant = new Tenant(fixture);
        var customers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Customer(tenant)));

        var entries = await Task.WhenAll(Enumerable.Range(1, 60).Select(number => Add(tenant, customers[number % 5], new
        {
            type = "UPSELL",
            amount = Money($"{number}.00"),
            recurrence = "MONTHLY",
            occurTime = $"2026-01-{1 + (number % 28):00}T00:00:00Z",
        })));

        Assert.Equal(60, entries.Select(entry => (string)entry["id"]!).Distinct().Count());
        Assert.Equal(
            Enumerable.Range(1, 60).Select(number => $"{number}.00"), entries.Select(entry => (string)entry["mrrChange"]!["amount"]!));
        for (var index = 0; index < 5; index++)
        {
            var sum = Enumerable.Range(1, 60).Where(number => number % 5 == index).Sum();
            var customer = await tenant.Get($"/v1/customers/{customers[index]}");
            Assert.Equal(($"{sum}.00", $"{sum}.00"), ((string)customer["mrr"]!["amount"]!, (string)customer["totalRevenue"]!["amount"]!));
        }

        Assert.Equal(1830, (await tenant.Metric("mrr_end", "2026-01-01", "2026-02-01"))!.Value);
        await Eventually.Equal(60, () => Task.FromResult(Events(tenant).Length), "an event for each entry");
        Assert.All(Events(tenant).GroupBy(e => e.CustomerId), one => Assert.Equal(12, one.Select(e => e.Version).Distinct().Count()));
    }

    [Fact]
    public async Task AddRevenue_WrongOnesAmongMany_AreRefusedAndTheOthersWritten()
    {
        var tenant = new Tenant(fixture);
        var (id, left) = (await Customer(tenant), await Customer(tenant));
        await tenant.Post($"/v1/customers/{left}:churn", new { reason = "Price", churnTime = "2026-01-10T00:00:00Z" });
        object Entry(string currencyCode = "USD") =>
            new { type = "NEW", amount = Money("10.00", currencyCode), recurrence = "MONTHLY", occurTime = "2026-02-01T00:00:00Z" };

        var sound = Enumerable.Range(0, 20).Select(_ => Add(tenant, id, Entry())).ToArray();
        var refused = new[]
        {
            Add(tenant, left, Entry(), HttpStatusCode.BadRequest),
            Add(tenant, Guid.CreateVersion7().ToString(), Entry(), HttpStatusCode.NotFound),
            Add(tenant, id, Entry("CHF"), HttpStatusCode.BadRequest),
        };
        sound = [.. sound, .. Enumerable.Range(0, 20).Select(_ => Add(tenant, id, Entry()))];

        Assert.Equal(["FAILED_PRECONDITION", "NOT_FOUND", "INVALID_ARGUMENT"], (await Task.WhenAll(refused))
            .Select(answer => (string)answer["code"]!));
        Assert.All(await Task.WhenAll(sound), entry => Assert.Equal("10.00", (string)entry["mrrChange"]!["amount"]!));
        Assert.Equal("400.00", (string)(await tenant.Get($"/v1/customers/{id}"))["mrr"]!["amount"]!);
    }

    [Fact]
    public async Task AddRevenue_TheSameRequestOrExternalIdManyTimesAtOnce_IsWrittenOnce()
    {
        var tenant = new Tenant(fixture);
        var (id, other) = (await Customer(tenant), await Customer(tenant));
        object ByRequest(string amount) =>
            new { type = "NEW", amount = Money(amount), occurTime = "2026-02-01T00:00:00Z", requestId = "r1" };
        object ByExternalId() => new { type = "UPSELL", amount = Money("7.00"), occurTime = "2026-02-01T00:00:00Z", externalId = "x1" };

        var first = await Add(tenant, id, ByRequest("5.00"));
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 30).Select(number => Add(tenant, id, number % 2 == 0 ? ByRequest("5.00") : ByExternalId())));
        var another = await Task.WhenAll(
            Add(tenant, id, ByRequest("6.00"), HttpStatusCode.Conflict), Add(tenant, other, ByExternalId(), HttpStatusCode.Conflict));

        Assert.All(answers.Where((_, number) => number % 2 == 0), answer => Assert.Equal(first.ToJsonString(), answer.ToJsonString()));
        Assert.Single(answers.Where((_, number) => number % 2 == 1).Select(answer => (string)answer["id"]!).Distinct());
        Assert.Equal(["ABORTED", "ALREADY_EXISTS"], another.Select(answer => (string)answer["code"]!));
        Assert.Equal("12.00", (string)(await tenant.Get($"/v1/customers/{id}"))["totalRevenue"]!["amount"]!);
        Assert.Equal(2, (await tenant.Get($"/v1/customers/{id}/revenue"))["revenue"]!.AsArray().Count);
    }

    private RevenueMoved[] Events(Tenant tenant) =>
        [.. fixture.Bus.Of<RevenueMoved>().Where(e => e.WorkspaceId == tenant.Id).DistinctBy(e => e.EventId)];

    private static async Task<string> Customer(Tenant tenant) =>
        (string)(await tenant.Post("/v1/customers", new { displayName = "A", startTime = "2025-12-01T00:00:00Z" }))["id"]!;

    private static object Money(string amount, string currencyCode = "USD") => new { currencyCode, amount };

    private static Task<JsonNode> Add(Tenant tenant, string id, object body, HttpStatusCode expected = HttpStatusCode.OK) =>
        tenant.Post($"/v1/customers/{id}/revenue", body, expected);
}
