using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Why a report has no rows.</summary>
public static class EmptyReport
{
    /// <summary>What reports count, as SQL that gives the first and last time of it.</summary>
    public const string Stays = "select min(enter_time) as first, max(enter_time) as last from stage_stay where workspace_id = @workspace";

    public const string Deals =
        "select min(create_time) as first, max(coalesce(close_time, create_time)) as last from deal_fact where workspace_id = @workspace";

    public const string Wins =
        "select min(close_time) as first, max(close_time) as last from deal_fact where workspace_id = @workspace and state = 'WON'";

    public const string Journeys =
        "select min(time) as first, max(time) as last from stage_journey where workspace_id = @workspace and kind = @kind";

    public const string Everything =
        """
        select min(first) as first, max(last) as last from (
          select min(create_time) as first, max(create_time) as last from lead_fact where workspace_id = @workspace
          union all select min(create_time), max(coalesce(close_time, create_time)) from deal_fact where workspace_id = @workspace
          union all select min(date)::timestamp at time zone @zone, max(date)::timestamp at time zone @zone from spend where workspace_id = @workspace) part
        """;

    /// <summary>The reason, and a sentence: what is missing, and where there is something.</summary>
    /// <param name="span">One of the statements above.</param>
    /// <param name="sentence">What the period lacks.</param>
    public static async Task<(EmptyReason Reason, string Note)> Explain(
        Transaction<ConversionDbContext> tx, ReportQuery query, string span, string sentence)
    {
        if (query.Granules[0].From > tx.Now)
        {
            return (EmptyReason.PeriodInFuture, $"The period begins on {query.Granules[0].Start:yyyy-MM-dd}, which is yet to come.");
        }

        var known = await tx.Connection.QuerySingleAsync<Span>(new CommandDefinition(
            span,
            new { workspace = tx.WorkspaceId, zone = query.Caller.TimeZone.Id, kind = query.Kind.ToString().ToUpperInvariant() },
            cancellationToken: tx.CancellationToken));
        return known is { First: { } from, Last: { } to }
            ? (EmptyReason.NothingInPeriod, $"{sentence} There is something from {Day(from)} to {Day(to)}.")
            : (EmptyReason.NothingRecorded, $"{sentence} The workspace has nothing of the kind yet.");

        string Day(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, query.Caller.TimeZone).ToString("yyyy-MM-dd", null);
    }

    private sealed class Span
    {
        public DateTimeOffset? First { get; init; }

        public DateTimeOffset? Last { get; init; }
    }
}

/// <summary>Lets one report sort and group in memory.</summary>
public static class ReportMemory
{
    public static Task Prepare(Transaction<ConversionDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        "set local work_mem = '64MB'; set local jit = off", cancellationToken: tx.CancellationToken));
}
