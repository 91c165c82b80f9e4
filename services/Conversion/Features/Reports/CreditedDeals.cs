using Dapper;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// Conversions (deals won, or leads that reached a stage) with the journeys before them, credited by the model of a report.
/// </summary>
public sealed class CreditedDeals
{
    private readonly ReportQuery query;
    private readonly List<ConversionRow> rows;
    private readonly JourneyReader journeys;
    private readonly IReadOnlyList<ConversionPath> paths;
    private Task<CreditTotals>? totals;

    private CreditedDeals(
        ReportQuery query, List<ConversionRow> rows, IReadOnlyList<ConversionPath> paths, TouchSources sources, int? lookbackDays)
    {
        (this.query, this.rows, this.paths, LookbackDays) = (query, rows, paths, lookbackDays);
        journeys = new JourneyReader(sources, lookbackDays);
    }

    /// <summary>Conversions whose journey is still to be frozen; they are credited by the lead's first touch until then.</summary>
    public long Pending =>
        rows.Count(row => row.State == "WON" && row is { LeadId: not null, PathKeys: null }) + paths.Sum(path => path.Pending);

    /// <summary>Window in use; null: all touches count.</summary>
    public int? LookbackDays { get; }

    /// <summary>
    /// Reads the deals that the report may credit: closed in its period, or of leads created in it. FAILED_PRECONDITION beyond
    /// <paramref name="limit"/> deals.
    /// </summary>
    public static async Task<Result<CreditedDeals>> Read(Transaction<ConversionDbContext> tx, ReportQuery query, int limit)
    {
        var lookback = query.LookbackDays ?? await AttributionSettingsStore.Lookback(tx, query.Kind);
        var rows = (await tx.Connection.QueryAsync<ConversionRow>(new CommandDefinition(
            // Only Markov's answers name groups in the order of their first appearance.
            $"{(query.Kind == ConversionKind.Customer ? DealSql : StageSql)} {(query.Model == AttributionKind.Markov ? "order by close_time, id" : "")} limit @limit",
            new
            {
                workspace = tx.WorkspaceId,
                kind = KindName(query.Kind),
                from = query.Granules[0].From,
                to = query.Granules[^1].To,
                limit = limit + 1,
                lost = query.Model == AttributionKind.Markov,
            },
            cancellationToken: tx.CancellationToken))).AsList();
        if (rows.Count > limit)
        {
            return TooMany(limit);
        }

        var sources = new TouchSources(query.Dimensions);
        await sources.Load(tx, rows);
        return new CreditedDeals(query, rows, [], sources, lookback);
    }

    /// <summary>
    /// As <see cref="Read"/>, for <see cref="Credit"/> alone: of deals that a model credits alike only their path is read.
    /// </summary>
    public static async Task<Result<CreditedDeals>> ReadTotals(Transaction<ConversionDbContext> tx, ReportQuery query, int limit)
    {
        var lookback = query.LookbackDays ?? await AttributionSettingsStore.Lookback(tx, query.Kind);
        if (!ConversionPaths.Suffice(query, lookback))
        {
            return await Read(tx, query, limit);
        }

        var paths = await ConversionPaths.Read(tx, query);
        if (paths.Sum(path => path.Conversions) > limit)
        {
            return TooMany(limit);
        }

        var sources = new TouchSources(query.Dimensions);
        await sources.Load(tx, paths.SelectMany(path => path.Keys));
        return new CreditedDeals(query, [], paths, sources, lookback);
    }

    private static Error TooMany(int limit) => Error.Precondition(
        $"The period has more than {limit} conversions to credit; ask for a shorter one, or for a run over all of them (POST /v1/attribution/runs).");

    /// <summary>Credits each conversion once, for all figures and points, while the caller does something else.</summary>
    public Task<CreditTotals> Credit() => totals ??= Task.Run(() => CreditTotals.Of(query, rows, paths, journeys));

    /// <summary>Name of a kind in the tables.</summary>
    public static string KindName(ConversionKind kind) => kind.ToString().ToUpperInvariant();

    /// <summary>The conversions behind a figure (see <see cref="Read"/>), each with what the model credits to touches of the cell; those
    /// without credit are left out.</summary>
    /// <param name="figure">How the conversions of the point are chosen.</param>
    /// <param name="isOfCell">Whether a group is the cell's.</param>
    public IEnumerable<CreditedRow> Rows(CreditedFigure figure, int granule, Func<string, bool> isOfCell)
    {
        var chosen = figure switch
        {
            CreditedFigure.Year => OfPoint(granule),
            CreditedFigure.First => InPoint(granule).Where(row => row.IsFirst),
            _ => InPoint(granule),
        };
        foreach (var row in chosen)
        {
            var touches = journeys.Touches(row);
            if (query.Model == AttributionKind.Markov)
            {
                if (touches.Any(touch => isOfCell(touch.Group)))
                {
                    yield return new CreditedRow(row, journeys.FirstTouch(row), null, null);
                }

                continue;
            }

            var shares = AttributionModels.Shares(query.Model, touches, query.HalfLifeDays).Where(share => share.Weight > 0).ToArray();
            var parts = new Money(query.Caller.CurrencyCode, row.Amount).Split(shares.Select(share => share.Weight).ToArray());
            var mine = Enumerable.Range(0, shares.Length).Where(index => isOfCell(shares[index].Group)).ToArray();
            if (mine.Length > 0)
            {
                yield return new CreditedRow(
                    row, journeys.FirstTouch(row), mine.Sum(index => shares[index].Weight), mine.Sum(index => parts[index].Amount));
            }
        }
    }

    private IEnumerable<ConversionRow> InPoint(int granule)
    {
        var point = query.Granules[granule];
        return rows.Where(row => row.State == "WON" && row.CloseTime >= point.From && row.CloseTime < point.To);
    }

    private IEnumerable<ConversionRow> OfPoint(int granule)
    {
        var point = query.Granules[granule];
        return rows.Where(row => row.State == "WON" && row.OriginTime >= point.From && row.OriginTime < point.To
            && row.CloseTime < row.OriginTime.AddYears(1));
    }

    private const string DealSql =
        """
        with first_won as (
          select distinct on (lead_id) opportunity_id from deal_fact
          where workspace_id = @workspace and state = 'WON' and lead_id is not null order by lead_id, close_time, opportunity_id)
        select f.opportunity_id as id, f.opportunity_id, f.state, f.amount, f.close_time, f.create_time, f.lead_id, f.origin_time, j.path_keys, j.path_times,
          f.lead_id is not null as has_lead, f.source_key,
          f.state = 'WON' and (f.lead_id is null or w.opportunity_id is not null) as is_first
        from deal_fact f
        left join first_won w on w.opportunity_id = f.opportunity_id
        left join journey j on j.workspace_id = f.workspace_id and j.opportunity_id = f.opportunity_id
        where f.workspace_id = @workspace and (f.state = 'WON' or (@lost and f.state = 'LOST'))
          and ((f.close_time >= @from and f.close_time < @to) or (f.origin_time >= @from and f.origin_time < @to))
        """;

    /// <summary>Each person once for a kind: of two leads that became one, the earlier conversion.</summary>
    private const string StageSql =
        """
        select * from (
          select distinct on (coalesce(l.merged_into, l.lead_id)) j.lead_id as id, 'WON' as state, 0::numeric as amount, j.time as close_time,
            j.time as create_time, coalesce(l.merged_into, l.lead_id) as lead_id, coalesce(l.create_time, j.time) as origin_time, j.path_keys, j.path_times,
            true as has_lead, conversion.source_key(p) as source_key, true as is_first
          from stage_journey j
          join lead l on l.workspace_id = j.workspace_id and l.lead_id = j.lead_id
          join lead p on p.workspace_id = l.workspace_id and p.lead_id = coalesce(l.merged_into, l.lead_id)
          where j.workspace_id = @workspace and j.kind = @kind
            and (j.time >= @from and j.time < @to or l.merged_into is not null
              or exists (select 1 from lead m where m.workspace_id = l.workspace_id and m.merged_into = l.lead_id))
          order by coalesce(l.merged_into, l.lead_id), j.time, j.lead_id) conversion
        where close_time >= @from and close_time < @to
        """;
}

/// <summary>How the conversions behind a figure are chosen.</summary>
public enum CreditedFigure
{
    /// <summary>All of the point.</summary>
    Won,

    /// <summary>First deals of leads, and deals without one.</summary>
    First,

    /// <summary>Won within a year of the creation of a lead of the point.</summary>
    Year,
}

/// <summary>A conversion and what the model credits to a cell; both null under Markov.</summary>
public sealed record CreditedRow(ConversionRow Row, TouchSource? FirstTouch, decimal? Credit, decimal? Amount);

/// <summary>One conversion as it is stored.</summary>
public sealed class ConversionRow
{
    public Guid Id { get; init; }

    public Guid? OpportunityId { get; init; }

    public string State { get; init; } = "";

    public decimal Amount { get; init; }

    public DateTimeOffset CloseTime { get; init; }

    public DateTimeOffset CreateTime { get; init; }

    public Guid? LeadId { get; init; }

    public bool HasLead { get; init; }

    /// <summary>Key of the lead's first touch; null without a lead.</summary>
    public long? SourceKey { get; init; }

    /// <summary>Keys of the touches, oldest first; null until they are frozen.</summary>
    public long[]? PathKeys { get; init; }

    /// <summary>Times of the touches, microseconds since 1970.</summary>
    public long[]? PathTimes { get; init; }

    /// <summary>When what led to the deal began: the lead's creation, or the deal's where it has no lead.</summary>
    public DateTimeOffset OriginTime { get; init; }

    public bool IsFirst { get; init; }
}
