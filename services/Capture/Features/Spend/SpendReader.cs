using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.Spend;

/// <summary>Lists rows of spend.</summary>
internal sealed class SpendReader(UnitOfWork<CaptureDbContext> work)
{
    private static readonly ListFields Fields = new ListFields("id", "s.id")
        .Sortable("date", "s.date", FieldKind.Date)
        .Add("channel", "s.channel")
        .Add("source", "s.source")
        .Add("medium", "s.medium")
        .Add("campaign", "s.campaign")
        .Add("keyword", "s.keyword");

    public async Task<Result<ListSpendResponse>> List(Caller caller, ListSpendRequest request, CancellationToken ct)
    {
        if (!ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "date")
            .TryGet(out var query, out var error))
        {
            return error;
        }

        var parameters = new DynamicParameters();
        parameters.AddDynamicParams(query.Parameters);
        parameters.Add("workspace", caller.WorkspaceId);
        return await work.Read(caller.WorkspaceId, async tx =>
        {
            var rows = await tx.Connection.QueryAsync<Row>(
                $"""
                select s.date, s.channel, s.source, s.medium, s.campaign, s.keyword, s.currency_code, s.amount, s.impressions, s.clicks, {query.PageKey}
                from spend s where s.workspace_id = @workspace and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                parameters);
            var (page, next) = query.Page(rows, row => row.PageKey);
            return new ListSpendResponse { Spend = { page.Select(row => row.ToProto()) }, NextPageToken = next };
        }, ct);
    }

    private sealed class Row
    {
        public DateOnly Date { get; init; }

        public required string Channel { get; init; }

        public required string Source { get; init; }

        public required string Medium { get; init; }

        public required string Campaign { get; init; }

        public required string Keyword { get; init; }

        public required string CurrencyCode { get; init; }

        public decimal Amount { get; init; }

        public long Impressions { get; init; }

        public long Clicks { get; init; }

        public required string[] PageKey { get; init; }

        public V1.Spend ToProto() => new()
        {
            Date = Date.ToString("yyyy-MM-dd", null),
            Channel = Channel,
            Source = Source,
            Medium = Medium,
            Campaign = Campaign,
            Keyword = Keyword,
            Amount = new Money(CurrencyCode, Amount).ToProto(),
            Impressions = Impressions,
            Clicks = Clicks,
        };
    }
}
