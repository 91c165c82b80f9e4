using System.Globalization;
using Dapper;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using NpgsqlTypes;

namespace Lifecycle.Retention.Features.KeepRates;

/// <summary>The table of rates to the workspace's currency.</summary>
public sealed class CurrencyRateGrpcService(UnitOfWork<RetentionDbContext> work) : CurrencyRateService.CurrencyRateServiceBase
{
    private const int MaxRows = 10_000;
    private const int MaxScale = 10;

    // A currency has a rate a day: both together tell one rate from another.
    private static readonly ListFields Fields = new ListFields("id", "(r.currency_code || r.date::text)", FieldKind.Text)
        .Sortable("currencyCode", "r.currency_code").Sortable("date", "r.date", FieldKind.Date);

    public override async Task<PutCurrencyRatesResponse> PutCurrencyRates(PutCurrencyRatesRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var rows = Parse(request, caller.CurrencyCode).OrThrow();
        return (await work.RunIdempotent<PutCurrencyRatesResponse>(
            caller.WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                await Bulk.Insert(
                    tx, "currency_rate",
                    [
                        BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, rows, _ => tx.WorkspaceId),
                        BulkColumn.From("currency_code", NpgsqlDbType.Text, rows, row => row.CurrencyCode),
                        BulkColumn.From("date", NpgsqlDbType.Date, rows, row => row.Date),
                        BulkColumn.From("rate", NpgsqlDbType.Numeric, rows, row => row.Rate),
                    ],
                    "on conflict (workspace_id, currency_code, date) do update set rate = excluded.rate");
                var (booked, waiting) = await Bookings.TakeUp(tx, new CurrencyRates(tx, caller.CurrencyCode, caller.TimeZone));
                return new PutCurrencyRatesResponse { RowCount = rows.Count, BookedCount = booked, WaitingCount = waiting };
            },
            context.CancellationToken)).OrThrow();
    }

    public override Task<ListCurrencyRatesResponse> ListCurrencyRates(ListCurrencyRatesRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "date desc").OrThrow();
        return work.Read(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var rows = await tx.Connection.QueryAsync<Row>(
                    $"select r.currency_code, r.date, r.rate, {query.PageKey} from currency_rate r where workspace_id = @workspaceId and {query.Where} order by {query.OrderBy} limit {query.Limit}",
                    new DynamicParameters(new Dictionary<string, object>(query.Parameters) { ["workspaceId"] = tx.WorkspaceId }));
                var (page, next) = query.Page(rows, row => row.PageKey);
                return new ListCurrencyRatesResponse
                {
                    Rates =
                    {
                        page.Select(row => new CurrencyRate
                        {
                            Date = row.Date.ToString("yyyy-MM-dd", null),
                            CurrencyCode = row.CurrencyCode,
                            Rate = row.Rate.ToString("0.##########", CultureInfo.InvariantCulture)
                        })
                    },
                    NextPageToken = next,
                };
            },
            context.CancellationToken);
    }

    private static Result<List<Row>> Parse(PutCurrencyRatesRequest request, string currencyCode)
    {
        var violations = new Violations();
        violations.Require(request.Rows.Count is > 0 and <= MaxRows, "rows", $"rows must have 1 to {MaxRows} rates.");
        var rows = new List<Row>(request.Rows.Count);
        for (var index = 0; index < Math.Min(request.Rows.Count, MaxRows); index++)
        {
            var (given, field) = (request.Rows[index], $"rows[{index}]");
            violations.RequireDate(given.Date, $"{field}.date", out var date);
            violations.Require(
                Kernel.Money.IsCurrency(given.CurrencyCode) && given.CurrencyCode != currencyCode, $"{field}.currencyCode",
                $"{field}.currencyCode must be an ISO 4217 code such as EUR, other than the workspace's own {currencyCode}.");
            var isNumber = decimal.TryParse(given.Rate, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate);
            violations.Require(
                isNumber && rate > 0 && rate < 1_000_000_000 && rate.Scale <= MaxScale, $"{field}.rate",
                $"{field}.rate must be a number above 0 with at most {MaxScale} decimals.");
            rows.Add(new() { CurrencyCode = given.CurrencyCode, Date = date, Rate = rate });
        }

        violations.Require(
            rows.DistinctBy(row => (row.CurrencyCode, row.Date)).Count() == rows.Count, "rows", "rows names a currency and day twice.");
        return violations.ToError() is { } error ? error : rows;
    }

    private sealed class Row
    {
        public string CurrencyCode { get; init; } = "";

        public DateOnly Date { get; init; }

        public decimal Rate { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
