using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.KeepLedger;

/// <summary>Reads a customer's ledger.</summary>
internal static class LedgerQueries
{
    private static readonly ListFields Fields = new ListFields("id", "r.id").Sortable("occurTime", "r.occur_time", FieldKind.Time);

    public static Result<ListQuery> Parse(ListRevenueRequest request) =>
        ListQuery.Parse(Fields, request.PageSize, request.PageToken, filter: null, orderBy: null, "occurTime asc", request.CustomerId);

    public static async Task<Result<ListRevenueResponse>> List(Transaction<RetentionDbContext> tx, Guid customerId, ListQuery query)
    {
        if (!await tx.Db.Customers.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == customerId, tx.CancellationToken))
        {
            return Error.NotFound("Customer", customerId);
        }

        var parameters = new Dictionary<string, object>(query.Parameters) { ["workspaceId"] = tx.WorkspaceId, ["customerId"] = customerId };
        var rows = await tx.Connection.QueryAsync<Row>(
            $"""
            select r.id, r.customer_id, r.type, r.amount, r.currency_code, r.recurrence, r.occur_time, r.external_id, {query.PageKey} from revenue r
            where r.workspace_id = @workspaceId and r.customer_id = @customerId and {query.Where} order by {query.OrderBy} limit {query.Limit}
            """,
            new DynamicParameters(parameters));
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new ListRevenueResponse { Revenue = { page.Select(ToProto) }, NextPageToken = next };
    }

    public static Revenue ToProto(RevenueRow row) =>
        Make(row.Id, row.CustomerId, row.Type, row.Amount, row.CurrencyCode, row.Recurrence, row.OccurTime, row.ExternalId);

    private static Revenue ToProto(Row row) => Make(
        row.Id, row.CustomerId, Enum.Parse<RevenueType>(row.Type), row.Amount, row.CurrencyCode, Enum.Parse<Recurrence>(row.Recurrence), row.OccurTime, row.ExternalId);

    private static Revenue Make(
        Guid id, Guid customerId, RevenueType type, decimal amount, string currencyCode, Recurrence recurrence, DateTimeOffset time, string? externalId) => new()
        {
            Id = id.ToString(),
            CustomerId = customerId.ToString(),
            Type = (Revenue.Types.Type)(int)type,
            Amount = new Kernel.Money(currencyCode, amount).ToProto(),
            Recurrence = (Revenue.Types.Recurrence)(int)recurrence,
            OccurTime = time.ToProto(),
            ExternalId = externalId ?? "",
        };

    private sealed class Row
    {
        public Guid Id { get; init; }

        public Guid CustomerId { get; init; }

        public string Type { get; init; } = "";

        public decimal Amount { get; init; }

        public string CurrencyCode { get; init; } = "";

        public string Recurrence { get; init; } = "";

        public DateTimeOffset OccurTime { get; init; }

        public string? ExternalId { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
