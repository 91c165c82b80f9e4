using System.Net;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Lists in the order asked for, page by page.</summary>
public sealed class ListOrderTests(RetentionFixture fixture)
{
    private const string AnyId = "01900000-0000-7000-8000-000000000001";

    [Theory]
    [InlineData("/v1/surveys", "displayName")]
    [InlineData("/v1/surveys", "createTime")]
    [InlineData("/v1/loyaltyPrograms", "displayName")]
    [InlineData("/v1/advocacy", "createTime")]
    [InlineData("/v1/referrals", "createTime")]
    [InlineData("/v1/referralLinks", "createTime")]
    [InlineData("/v1/currencyRates", "currencyCode")]
    [InlineData("/v1/expansionSuggestions", "createTime")]
    [InlineData("/v1/customers/{id}/signals", "occurTime")]
    [InlineData("/v1/surveyAnswers", "answerTime")]
    [InlineData("/v1/reports/mrr/customers?month=2026-03-01", "mrrEnd")]
    public async Task List_OfNothing_TakesItsOrdersAndNoOther(string path, string order)
    {
        var tenant = new Tenant(fixture);
        var list = path.Replace("{id}", AnyId, StringComparison.Ordinal) + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?");

        await tenant.Get($"{list}orderBy={order}%20desc");
        var refused = await tenant.Call(HttpMethod.Get, $"{list}orderBy=colour", null, HttpStatusCode.BadRequest);

        Assert.Equal("orderBy", (string?)Assert.Single(refused["errors"]!.AsArray())!["field"]);
    }

    [Fact]
    public async Task Surveys_ByName_AreSortedOverPages()
    {
        var tenant = new Tenant(fixture);
        foreach (var name in new[] { "Delta", "Alpha", "Charlie", "Bravo", "Alpha" })
        {
            await tenant.Post("/v1/surveys", new { type = "NPS", displayName = name });
        }

        Assert.Equal(["Alpha", "Alpha", "Bravo", "Charlie", "Delta"], await Read(tenant, "/v1/surveys", "displayName", "displayName"));
        Assert.Equal(
            ["Delta", "Charlie", "Bravo", "Alpha", "Alpha"], await Read(tenant, "/v1/surveys", "displayName desc", "displayName"));
        Assert.Equal(["Alpha", "Bravo", "Charlie", "Alpha", "Delta"], await Read(tenant, "/v1/surveys", "", "displayName"));
    }

    [Fact]
    public async Task CurrencyRates_ByCurrency_ShowEveryDay()
    {
        var tenant = new Tenant(fixture);
        (string Date, string Code)[] rates =
            [("2026-01-01", "EUR"), ("2026-01-02", "EUR"), ("2026-01-03", "EUR"), ("2026-01-02", "GBP"), ("2026-01-01", "CHF")];
        await tenant.Call(
            HttpMethod.Put, "/v1/currencyRates",
            new { rows = rates.Select(rate => new { date = rate.Date, currencyCode = rate.Code, rate = "1.5" }) });
        Task<List<string>> List(string orderBy) =>
            PagedList.Read(tenant.Get, "/v1/currencyRates", orderBy, rate => $"{rate["currencyCode"]} {rate["date"]}");

        Assert.Equal(
            ["CHF 2026-01-01", "EUR 2026-01-01", "EUR 2026-01-02", "EUR 2026-01-03", "GBP 2026-01-02"], await List("currencyCode"));
        Assert.Equal(
            ["CHF 2026-01-01", "EUR 2026-01-03", "EUR 2026-01-02", "EUR 2026-01-01", "GBP 2026-01-02"],
            await List("currencyCode, date desc"));
        Assert.Equal(
            ["EUR 2026-01-03", "GBP 2026-01-02", "EUR 2026-01-02", "EUR 2026-01-01", "CHF 2026-01-01"], await List(""));
    }

    [Fact]
    public async Task WhatACustomerHas_ByTime_IsSortedOverPages()
    {
        var tenant = new Tenant(fixture);
        var customer = (string)(await tenant.Post("/v1/customers", new { displayName = "A", startTime = "2026-01-01T00:00:00Z" }))["id"]!;
        foreach (var (index, day) in new[] { 7, 5, 9 }.Index())
        {
            var time = $"2026-02-0{day}T12:00:00Z";
            await tenant.Post("/v1/advocacy", new { customerId = customer, kind = "REVIEW", createTime = time });
            await tenant.Post(
                $"/v1/customers/{customer}/revenue",
                new
                {
                    type = index == 0 ? "NEW" : "UPSELL",
                    amount = new { currencyCode = "USD", amount = "10.00" },
                    recurrence = "ONE_OFF",
                    occurTime = time
                });
        }

        string[] times = ["2026-02-05T12:00:00Z", "2026-02-07T12:00:00Z", "2026-02-09T12:00:00Z"];
        Assert.Equal(times, await Read(tenant, "/v1/advocacy", "createTime", "createTime"));
        Assert.Equal(times.Reverse(), await Read(tenant, "/v1/advocacy", "createTime desc", "createTime"));
        Assert.Equal(times, await Read(tenant, $"/v1/customers/{customer}/revenue", "occurTime", "occurTime"));
        Assert.Equal(times.Reverse(), await Read(tenant, $"/v1/customers/{customer}/revenue", "occurTime desc", "occurTime"));
    }

    [Fact]
    public async Task LoyaltyMembers_ByBalance_AreSortedOverPages()
    {
        var tenant = new Tenant(fixture);
        var program = (string)(await tenant.Post("/v1/loyaltyPrograms", new { displayName = "Club" }))["id"]!;
        foreach (var points in new[] { 20, 50, 10 })
        {
            var customer = (string)(await tenant.Post(
                "/v1/customers", new { displayName = "A", startTime = "2026-01-01T00:00:00Z" }))["id"]!;
            await tenant.Post($"/v1/loyaltyPrograms/{program}:addPoints", new { customerId = customer, points });
        }

        Assert.Equal(["10", "20", "50"], await Read(tenant, $"/v1/loyaltyPrograms/{program}/members", "balance", "balance"));
        Assert.Equal(["50", "20", "10"], await Read(tenant, $"/v1/loyaltyPrograms/{program}/members", "", "balance"));
    }

    private static Task<List<string>> Read(Tenant tenant, string path, string orderBy, string field) =>
        PagedList.Read(tenant.Get, path, orderBy, row => row[field]!.ToString());
}
