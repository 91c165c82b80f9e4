using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
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
        ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, filter: null, request.OrderBy, "occurTime asc", request.CustomerId);

    public static async Task<Result<ListRevenueResponse>> List(
        Transaction<RetentionDbContext> tx, Guid customerId, ListQuery query, string currencyCode)
    {
        if (!await tx.Db.Customers.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == customerId, tx.CancellationToken))
        {
            return Error.NotFound("Customer", customerId);
        }

        var parameters = new Dictionary<string, object>(query.Parameters) { ["workspaceId"] = tx.WorkspaceId, ["customerId"] = customerId };
        var keys = await tx.Connection.QueryAsync<Key>(
            $"""
            select r.id, {query.PageKey} from revenue r
            where r.workspace_id = @workspaceId and r.customer_id = @customerId and {query.Where} order by {query.OrderBy} limit {query.Limit}
            """,
            new DynamicParameters(parameters));
        var (page, next) = query.Page(keys, row => row.PageKey);
        var ids = page.Select(key => key.Id).ToArray();
        var rows = await tx.Db.Revenue.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
            .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
        return new ListRevenueResponse { Revenue = { ids.Select(id => ToProto(rows[id], currencyCode)) }, NextPageToken = next };
    }

    public static Revenue ToProto(RevenueRow row, string currencyCode) => new()
    {
        Id = row.Id.ToString(),
        CustomerId = row.CustomerId.ToString(),
        Type = (Revenue.Types.Type)(int)row.Type,
        Amount = new Kernel.Money(row.CurrencyCode, row.Amount).ToProto(),
        Recurrence = (Revenue.Types.Recurrence)(int)row.Recurrence,
        OccurTime = row.OccurTime.ToProto(),
        ExternalId = row.ExternalId ?? "",
        WorkspaceAmount = new Kernel.Money(currencyCode, row.BaseAmount).ToProto(),
        MrrChange = new Kernel.Money(currencyCode, row.MrrDelta).ToProto(),
        ProrationStart = Text(row.ProrationStart),
        ProrationEnd = Text(row.ProrationEnd),
        ReversesId = row.ReversesId?.ToString() ?? "",
        Reason = row.Reason ?? "",
        CreateTime = row.CreateTime.ToProto(),
    };

    /// <summary>An entry that was just written.</summary>
    public static Revenue ToProto(PlacedEntry entry, DateTimeOffset now, string currencyCode) => ToProto(
        new()
        {
            WorkspaceId = default,
            Id = entry.Id,
            CustomerId = entry.Customer.Id,
            Type = entry.Type,
            Amount = entry.Amount,
            CurrencyCode = entry.New!.Amount.CurrencyCode,
            Recurrence = entry.New.Recurrence,
            OccurTime = entry.Time,
            ExternalId = entry.New.ExternalId,
            MrrDelta = entry.Delta,
            BaseAmount = entry.BaseAmount,
            Monthly = entry.Monthly,
            ProrationStart = entry.New.Proration?.Start,
            ProrationEnd = entry.New.Proration?.End,
            ReversesId = entry.New.ReversesId,
            Reason = entry.New.Reason,
            CreateTime = now,
        },
        currencyCode);

    private static string Text(DateOnly? day) => day?.ToString("yyyy-MM-dd", null) ?? "";

    private sealed class Key
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
