using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Deals that are credited together by their path get the credit that each gets by itself.</summary>
public sealed class ConversionPathTests : IAsyncLifetime
{
    private readonly Guid workspace = Guid.CreateVersion7();
    private TestDatabase database = null!;
    private UnitOfWork<ConversionDbContext> work = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<ConversionDbContext>("conversion");
        work = database.UnitOfWork<ConversionDbContext>();
        await database.Query(
            """
            insert into lead_source select $1, n, case n % 3 when 1 then 'Direct' else 'Email' end, 'news', '', 'campaign ' || n % 4, '', ''
            from generate_series(1, 7) n
            """,
            workspace);

        // Won, lost and open; several of a lead, some without one; journeys that are frozen, empty, still to be frozen, and none at all.
        await database.Query(
            """
            insert into deal_fact (workspace_id, opportunity_id, lead_id, source_key, state, amount, currency_code, create_time, close_time, origin_time)
            select $1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
              case when n % 11 > 0 then ('00000000-0000-7000-9000-' || lpad(to_hex(n % 700), 12, '0'))::uuid end, case when n % 11 > 0 then 1 + n * 5 % 7 end,
              (array['WON', 'WON', 'WON', 'LOST', 'OPEN'])[1 + n % 5], n * 7919 % 100000 / 100.0, 'USD', close - interval '20 days',
              case when n % 5 < 4 then close end, close - (n * 31 % 500) * interval '1 day'
            from generate_series(1, 1500) n cross join lateral (select timestamptz '2026-01-01 00:00Z' + (n * 97 % 3000) * interval '1 hour' as close) part
            """,
            workspace);
        await database.Query(
            """
            insert into journey (workspace_id, opportunity_id, lead_id, attempts, path_keys, path_times)
            select workspace_id, opportunity_id, lead_id, 1, case when n % 7 > 0 then keys end, case when n % 7 > 0 then times end
            from (select *, ('x' || right(opportunity_id::text, 8))::bit(32)::int as n from deal_fact where state <> 'OPEN' and lead_id is not null) f
            cross join lateral (
              select coalesce(array_agg(1 + (n * (step + 1) / 3 + step) % 7 order by step), '{}')::bigint[] as keys,
                coalesce(array_agg(extract(epoch from origin_time)::bigint * 1000000 + step * 3600000000 * 30 order by step), '{}') as times
              from generate_series(1, n % 5) step) part
            where n % 13 > 0
            """);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Theory]
    [InlineData(AttributionModel.FirstTouch)]
    [InlineData(AttributionModel.LastTouch)]
    [InlineData(AttributionModel.LastNonDirect)]
    [InlineData(AttributionModel.Linear)]
    [InlineData(AttributionModel.TimeDecay)]
    [InlineData(AttributionModel.PositionBased)]
    [InlineData(AttributionModel.WShaped)]
    [InlineData(AttributionModel.Shapley)]
    public async Task Totals_OfPaths_AreThoseOfEachDeal(AttributionModel model)
    {
        foreach (var (granularity, lookback, groupBy) in new[]
        {
            (Common.V1.Granularity.Month, 0, "campaign"), (Common.V1.Granularity.Unspecified, 0, "channel"),
            (Common.V1.Granularity.Week, 0, "channel,campaign"),
            (Common.V1.Granularity.Month, 10, "campaign"),
        })
        {
            var request = new GetReportRequest
            {
                From = "2026-01-08",
                To = "2026-04-21",
                Granularity = granularity,
                Model = model,
                GroupBy = { groupBy }
            };
            if (lookback > 0)
            {
                request.LookbackDays = lookback;
            }

            var query = ReportQuery.Parse(
                request, Caller.Service(
                    "test", workspace, timeZone: TimeZoneInfo.FindSystemTimeZoneById("America/St_Johns"), currencyCode: "USD")).Value;
            var (each, paths) = await work.Read(
                workspace,
                async tx => (
                    (await CreditedDeals.Read(tx, query, 100_000)).Value, (await CreditedDeals.ReadTotals(tx, query, 100_000)).Value),
                CancellationToken.None);
            var (expected, totals) = (await each.Credit(), await paths.Credit());

            Assert.True(each.Pending > 10, $"{each.Pending} pending");
            Assert.Equal(each.Pending, paths.Pending);
            for (var granule = 0; granule < query.Granules.Count; granule++)
            {
                Assert.NotEmpty(expected.Won(granule));
                Assert.Equal(Told(expected.Won(granule)), Told(totals.Won(granule)));
                Assert.Equal(Told(expected.FirstWon(granule)), Told(totals.FirstWon(granule)));
                Assert.Equal(Told(expected.YearWon(granule)), Told(totals.YearWon(granule)));
            }
        }
    }

    [Theory]
    [InlineData(AttributionModel.FirstTouch)]
    [InlineData(AttributionModel.TimeDecay)]
    public async Task Totals_OfMoreDealsThanAReportTakes_AreRefused(AttributionModel model)
    {
        var query = ReportQuery.Parse(
            new GetReportRequest { From = "2026-01-01", To = "2026-05-01", Model = model },
            Caller.Service("test", workspace, currencyCode: "USD"), "channel").Value;
        var refused = await work.Read(workspace, tx => CreditedDeals.ReadTotals(tx, query, 50), CancellationToken.None);
        Assert.Contains("more than 50 conversions", refused.Error!.Message, StringComparison.Ordinal);
    }

    private static string[] Told(IReadOnlyList<DealCredit> credits) =>
        [.. credits.Select(credit => $"{credit.Group} {Math.Round(credit.Conversions, 9)} {credit.Value}").Order(StringComparer.Ordinal)];
}
