using Dapper;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.SalesReports;

/// <summary>How sales answer hand-offs.</summary>
public sealed class HandoffReports(UnitOfWork<ConversionDbContext> work)
{
    private static readonly Dictionary<string, string> Dimensions = new(StringComparer.Ordinal)
    {
        ["channel"] = "coalesce(l.channel, '')",
        ["source"] = "coalesce(l.source, '')",
        ["medium"] = "coalesce(l.medium, '')",
        ["campaign"] = "coalesce(l.campaign, '')",
        ["keyword"] = "coalesce(l.keyword, '')",
        ["owner"] = "coalesce(h.owner, '')",
        ["team"] = "coalesce(t.display_name, '')",
    };

    public async Task<Result<HandoffReport>> Handle(GetHandoffReportRequest request, Caller caller, CancellationToken ct)
    {
        var violations = new Violations();
        var period = ReportPeriod.Create(request.From, request.To, Granularity.Year, caller.TimeZone);
        foreach (var violation in period.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        var dimensions = request.GroupBy
            .SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Distinct()
                .ToArray();
        foreach (var unknown in dimensions.Where(name => !Dimensions.ContainsKey(name)))
        {
            violations.Add("groupBy", $"The report cannot group by {unknown}; it can by {string.Join(", ", Dimensions.Keys)}.");
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        var group = dimensions.Length == 0 ? "''::text" : string.Join(" || chr(31) || ", dimensions.Select(name => Dimensions[name]));
        var (rows, reasons) = await work.Read(caller.WorkspaceId, async tx =>
        {
            await using var answers = await tx.Connection.QueryMultipleAsync(new CommandDefinition(
                Sql(group), new { workspace = tx.WorkspaceId, from = period.Value.From, to = period.Value.To, now = tx.Now },
                    cancellationToken: ct));
            return ((await answers.ReadAsync<Row>()).AsList(), (await answers.ReadAsync<Reason>()).ToLookup(reason => reason.Grp));
        }, ct);
        var report = new HandoffReport { Note = rows.Count == 0 ? "No hand-off was made in the period." : "" };
        report.Rows.AddRange(rows.Select(row => ToProto(row, dimensions, reasons[row.Grp])));
        return report;
    }

    /// <summary>
    /// By the index on (workspace, create time). Touches are the first ones of the lead that the hand-off belongs to by now.
    /// </summary>
    private static string Sql(string group)
    {
        var answered =
            $"""
            with answered as (
              select {group} as grp, h.state, h.reopened, h.due_time, h.accept_time, h.return_reason, h.create_time,
                case when h.accept_time is not null or h.state in ('RETURNED', 'DISQUALIFIED')
                  then coalesce(h.accept_time, h.close_time) end as answer_time
              from handoff h
              join lead l on l.workspace_id = h.workspace_id and l.lead_id = h.lead_id
              left join sales_team t on t.workspace_id = h.workspace_id and t.id = h.team_id
              where h.workspace_id = @workspace and h.create_time >= @from and h.create_time < @to)
            """;
        return
            $"""
            {answered}
            select grp, count(*) as handoffs, count(*) filter (where reopened) as reopened, count(accept_time) as accepted,
              count(*) filter (where state = 'RETURNED') as returned, count(*) filter (where state = 'DISQUALIFIED') as disqualified,
              count(*) filter (where state = 'EXPIRED') as expired, count(*) filter (where state = 'OPEN') as open,
              count(*) filter (where state = 'OPEN' and due_time < @now) as overdue, count(answer_time) as answered,
              count(*) filter (where answer_time <= due_time) as in_time,
              count(*) filter (where due_time is not null and (answer_time is not null or (state = 'OPEN' and due_time < @now))) as judged,
              percentile_cont(0.5) within group (order by extract(epoch from answer_time - create_time)::float8 / 60) as median,
              percentile_cont(0.9) within group (order by extract(epoch from answer_time - create_time)::float8 / 60) as p90
            from answered group by grp order by handoffs desc, grp;
            {answered}
            select grp, return_reason, count(*) as count from answered where state = 'RETURNED' and return_reason is not null
            group by grp, return_reason order by count desc, return_reason
            """;
    }

    private static HandoffReportRow ToProto(Row row, string[] dimensions, IEnumerable<Reason> reasons)
    {
        var message = new HandoffReportRow
        {
            Handoffs = row.Handoffs,
            Reopened = row.Reopened,
            Accepted = row.Accepted,
            Returned = row.Returned,
            Disqualified = row.Disqualified,
            Expired = row.Expired,
            Open = row.Open,
            Overdue = row.Overdue,
            ReturnReasons = { reasons.Select(reason => new ReturnReasonCount { Reason = reason.ReturnReason, Count = reason.Count }) },
        };
        if (dimensions.Length > 0)
        {
            message.Group.Add(GroupKeys.Split(row.Grp, dimensions));
        }

        if (row is { Median: { } median, P90: { } p90 })
        {
            (message.MedianResponseMinutes, message.P90ResponseMinutes) = (Math.Round(median, 2), Math.Round(p90, 2));
            message.ReturnRate = (double)row.Returned / row.Answered;
        }

        if (row.Judged > 0)
        {
            message.InTimeRate = (double)row.InTime / row.Judged;
        }

        return message;
    }

    private sealed class Row
    {
        public string Grp { get; init; } = "";

        public long Handoffs { get; init; }

        public long Reopened { get; init; }

        public long Accepted { get; init; }

        public long Returned { get; init; }

        public long Disqualified { get; init; }

        public long Expired { get; init; }

        public long Open { get; init; }

        public long Overdue { get; init; }

        public long Answered { get; init; }

        public long InTime { get; init; }

        public long Judged { get; init; }

        public double? Median { get; init; }

        public double? P90 { get; init; }
    }

    private sealed class Reason
    {
        public string Grp { get; init; } = "";

        public string ReturnReason { get; init; } = "";

        public long Count { get; init; }
    }
}
