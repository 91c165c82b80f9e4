using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>The customers behind a month of the waterfall and of the cohorts.</summary>
internal static class MonthCustomers
{
    private static readonly ListFields Fields = new ListFields("customerId", "m.customer_id")
        .Sortable("displayName", "c.display_name")
        .Sortable("mrrStart", "m.mrr_start", FieldKind.Number)
        .Sortable("mrrEnd", "m.mrr_end", FieldKind.Number);

    internal sealed record Asked(DateOnly Month, string? Movement, DateOnly? Cohort, ListQuery Query);

    public static Result<Asked> Parse(ListMonthCustomersRequest request)
    {
        var violations = new Violations();
        if (violations.RequireDate(request.Month, "month", out var month))
        {
            violations.Require(month.Day == 1, "month", "month must be the first day of a month.");
        }

        var cohort = violations.OptionalDate(request.Cohort, "cohort");
        violations.Require(cohort is null or { Day: 1 }, "cohort", "cohort must be the first day of a month.");
        var movement = Names.Of(request.Movement);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, null, request.OrderBy, "customerId asc",
            $"{request.Month} {movement} {request.Cohort}")
            .TryGet(out var query, out var wrong)
            ? new Asked(month, movement.Length > 0 ? movement : null, cohort, query)
            : wrong;
    }

    public static async Task<ListMonthCustomersResponse> List(Transaction<RetentionDbContext> tx, Asked asked, string currencyCode)
    {
        var query = asked.Query;
        var rows = await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            $"""
            select m.customer_id, c.display_name, m.cohort, m.movement, m.mrr_start, m.mrr_end, m.joined - m.lost - m.won_and_lost as change, {query.PageKey}
            from customer_month m join customer c on c.workspace_id = m.workspace_id and c.id = m.customer_id
            where m.workspace_id = @workspaceId and m.month = @month and (@movement::text is null or m.movement = @movement)
              and (@cohort::date is null or m.cohort = @cohort) and {query.Where}
            order by {query.OrderBy} limit {query.Limit}
            """,
            new DynamicParameters(new Dictionary<string, object?>(
                query.Parameters.Select(pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)))
            {
                ["workspaceId"] = tx.WorkspaceId,
                ["month"] = asked.Month,
                ["movement"] = asked.Movement,
                ["cohort"] = asked.Cohort,
            }),
            cancellationToken: tx.CancellationToken));
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Customers = { page.Select(row => ToProto(row, currencyCode)) }, NextPageToken = next };
    }

    private static MonthCustomer ToProto(Row row, string currencyCode) => new()
    {
        CustomerId = row.CustomerId.ToString(),
        DisplayName = row.DisplayName,
        Cohort = row.Cohort.ToString("yyyy-MM-dd", null),
        Movement = Names.TryParse(row.Movement, out MonthCustomer.Types.Movement movement) ? movement : default,
        MrrStart = new Money(currencyCode, row.MrrStart).ToProto(),
        MrrEnd = new Money(currencyCode, row.MrrEnd).ToProto(),
        CustomerChange = row.Change,
    };

    private sealed class Row
    {
        public Guid CustomerId { get; init; }

        public string DisplayName { get; init; } = "";

        public DateOnly Cohort { get; init; }

        public string Movement { get; init; } = "";

        public decimal MrrStart { get; init; }

        public decimal MrrEnd { get; init; }

        public int Change { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
