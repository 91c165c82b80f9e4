using System.Globalization;
using System.Net;
using System.Text;

namespace Retention.IntegrationTests;

/// <summary>
/// Whoever counts months locks no customer: what is written meanwhile is counted afterwards, and nothing is counted twice or missed.
/// </summary>
public sealed class RollupMarkTests(RetentionFixture fixture)
{
    private const int Writers = 4;
    private const int Files = 8;
    private const int Customers = 30;

    [Fact]
    public async Task Reports_WhileEntriesAreWritten_EndWithWhatARebuildCounts()
    {
        var tenant = new Tenant(fixture);
        await Import(tenant, "/v1/customers:import", "externalId,startTime\n" + Lines(index => $"c{index},2026-01-01"));
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            for (var file = 0; file < Files; file++)
            {
                var number = file;
                await Import(
                    tenant, "/v1/revenue:import",
                    "customerExternalId,externalId,type,amount,recurrence,occurTime\n"
                    + Lines(index => string.Create(
                        CultureInfo.InvariantCulture,
                        $"c{index},{writer}-{number}-{index},UPSELL,{1 + index},MONTHLY,2026-0{1 + number}-0{1 + writer}")));
            }
        }));

        while (!writing.IsCompleted)
        {
            await tenant.Get("/v1/reports/mrr?from=2026-01-01&to=2026-09-01");
        }

        await writing;
        await tenant.Get("/v1/reports/mrr/customers?month=2026-02-01");
        var (end, counted) = (await End(tenant), await Counted(tenant));
        Assert.Equal(Writers * Files * Enumerable.Range(1, Customers).Sum(), end);
        Assert.Equal(0L, await fixture.Database.Scalar<long>("select count(*) from rollup_mark where workspace_id = $1", tenant.Id));
        Assert.Equal($"{Customers}", (string)(await tenant.Post("/v1/metrics/retention:rebuild"))["customerCount"]!);
        Assert.Equal(counted, await Counted(tenant));
    }

    private static async Task<decimal> End(Tenant tenant) => decimal.Parse(
        (string)(await tenant.Get("/v1/reports/mrr?from=2026-01-01&to=2026-09-01"))["rows"]!.AsArray()[^1]!["mrrEnd"]!["amount"]!,
        CultureInfo.InvariantCulture);

    private async Task<string> Counted(Tenant tenant) => string.Join('\n', (await fixture.Database.Query(
        """
        select concat_ws(' ', 'customer', customer_id, month, movement, trim_scale(mrr_start), trim_scale(mrr_end), joined) from customer_month where workspace_id = $1
        union all select concat_ws(' ', 'month', month, trim_scale(added), trim_scale(expanded), joined) from mrr_month where workspace_id = $1
        union all select concat_ws(' ', 'cohort', cohort, month, customers, trim_scale(mrr), began) from cohort_month where workspace_id = $1 order by 1
        """,
        tenant.Id)).Select(row => (string)row[0]!));

    private static string Lines(Func<int, string> line) =>
        string.Concat(Enumerable.Range(0, Customers).Select(index => line(index) + "\n"));

    private static async Task Import(Tenant tenant, string path, string file)
    {
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"), HttpStatusCode.OK);
        Assert.Equal(0, (int)answer["rejectedCount"]!);
    }
}
