using Dapper;
using Lifecycle.Common.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc.Metrics;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Features.QueryMetrics;

/// <summary>
/// The service's metrics. <c>scored_leads</c>: leads that got points in the period. <c>qualified_leads</c>: leads that crossed the
/// threshold in it.
/// <c>score_profile</c>: leads new in the period, by the band of their score at the period's end (or now, where that is earlier), one
/// series per band.
/// <c>average_score</c>: mean score of the same leads at the same time. Groups are by first touch.
/// </summary>
public sealed class ScoringMetrics(UnitOfWork<ScoringDbContext> work, ModelStore models)
{
    public const string ScoredLeads = "scored_leads";
    public const string QualifiedLeads = "qualified_leads";
    public const string AverageScore = "average_score";
    public const string ScoreProfile = "score_profile";

    public static readonly MetricCatalog Catalog = new(
        "scoring",
        [
            new(ScoredLeads, MetricKind.Activity, "count"),
            new(QualifiedLeads, MetricKind.Outcome, "count"),
            new(AverageScore, MetricKind.Outcome, "points"),
            new(ScoreProfile, MetricKind.Outcome, "count"),
        ],
        ["channel", "source", "medium", "campaign"]);

    private const string Scored =
        """
        select width_bucket(ledger.time, @starts) - 1 granule, {group} "group", count(distinct ledger.lead_id) count
        from ledger join lead using (workspace_id, lead_id)
        where workspace_id = @WorkspaceId and ledger.score_name = 'default' and ledger.time >= @From and ledger.time < @To
        group by 1, 2
        """;

    private const string Qualified =
        """
        select width_bucket(transition.time, @starts) - 1 granule, {group} "group", count(distinct transition.lead_id) count
        from transition join lead using (workspace_id, lead_id)
        where workspace_id = @WorkspaceId and transition.qualified and transition.time >= @From and transition.time < @To
        group by 1, 2
        """;

    /// <summary>Reads the new leads by (workspace_id, create_time), and each one's ledger by its key. Points decay as in the
    /// domain.</summary>
    private const string New =
        """
        with fresh as (
            select lead_id, width_bucket(create_time, @starts) granule, {group} "group" from lead
            where workspace_id = @WorkspaceId and create_time >= @From and create_time < @To and merged_into is null),
        score as (
            select fresh.granule, fresh."group", round(coalesce(sum(
                ledger.floor + (ledger.points - ledger.floor) * case
                    when ledger.end_time <= least(@ends[fresh.granule], @Now) then 0
                    when ledger.half_life_seconds is null then 1
                    else power(2, -extract(epoch from least(@ends[fresh.granule], @Now) - ledger.time)::float8 / ledger.half_life_seconds)
                    end), 0)::numeric, 2) total
            from fresh left join ledger
                on ledger.workspace_id = @WorkspaceId and ledger.lead_id = fresh.lead_id and ledger.score_name = 'default'
                    and ledger.time <= least(@ends[fresh.granule], @Now)
            group by fresh.lead_id, fresh.granule, fresh."group")
        select granule - 1 granule, "group", greatest(width_bucket(total::float8, @bands), 1) - 1 band, count(*) count, sum(total) total
        from score group by 1, 2, 3
        """;

    public async Task<QueryMetricsResponse> Query(Guid workspaceId, MetricsQuery query, CancellationToken ct)
    {
        var answer = new MetricsAnswer(query with { Metrics = query.Metrics.Where(metric => metric.Id != ScoreProfile).ToArray() });
        var (rows, bands) = await work.Read(workspaceId, async tx =>
        {
            var counts = new[] { (ScoredLeads, Scored), (QualifiedLeads, Qualified) };
            foreach (var (metric, sql) in counts.Where(entry => query.Wants(entry.Item1)))
            {
                foreach (var row in await Select(tx, query, sql, []))
                {
                    answer.Add(metric, row.Group, row.Granule, row.Count);
                }
            }

            var definition = (await models.Current(tx)).Model.Definition.Bands;
            return (query.Wants(AverageScore) || query.Wants(ScoreProfile) ? await Select(tx, query, New, definition) : [], definition);
        }, ct);
        foreach (var point in rows.GroupBy(row => (row.Granule, row.Group)))
        {
            answer.Set(
                AverageScore, point.Key.Group, point.Key.Granule, (double)(point.Sum(row => row.Total) / point.Sum(row => row.Count)));
        }

        var response = answer.Build();
        if (query.Wants(ScoreProfile))
        {
            var before = query.Metrics.TakeWhile(metric => metric.Id != ScoreProfile).Select(metric => metric.Id).ToHashSet();
            var profile = Profile(query, rows, bands, answer.Groups);
            var others = response.Series.ToArray();
            response.Series.Clear();
            response.Series.AddRange(others.Where(series => before.Contains(series.Metric)));
            response.Series.AddRange(profile);
            response.Series.AddRange(others.Where(series => !before.Contains(series.Metric)));
        }

        return response;
    }

    private static IEnumerable<MetricSeries> Profile(
        MetricsQuery query, IReadOnlyList<Row> rows, IReadOnlyList<BandDefinition> bands, IReadOnlyCollection<string> groups)
    {
        var names = query.GroupBy is null
            ? [""]
            : groups.Concat(rows.Select(row => row.Group)).Distinct().Order(StringComparer.Ordinal).ToArray();
        foreach (var group in names)
        {
            foreach (var (index, band) in bands.Index())
            {
                var series = new MetricSeries { Metric = ScoreProfile, Kind = MetricKind.Outcome, Unit = "count" };
                series.Group["band"] = band.Name;
                if (query.GroupBy is { } dimension)
                {
                    series.Group[dimension] = group;
                }

                var counts = rows.Where(row => row.Group == group && row.Band == index).ToDictionary(row => row.Granule, row => row.Count);
                series.Points.AddRange(query.Period.Granules.Select((granule, at) => new MetricPoint
                {
                    Start = granule.Start.ToString("yyyy-MM-dd", null),
                    Value = counts.GetValueOrDefault(at),
                }));
                yield return series;
            }
        }
    }

    private static async Task<List<Row>> Select(
        Transaction<ScoringDbContext> tx, MetricsQuery query, string sql, IReadOnlyList<BandDefinition> bands)
    {
        // The dimension is one of the catalog's, and the catalog's are columns.
        var group = query.GroupBy is null ? "''" : $"coalesce(lead.{query.GroupBy}, '')";
        return (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            sql.Replace("{group}", group, StringComparison.Ordinal),
            new
            {
                tx.WorkspaceId,
                tx.Now,
                query.Period.From,
                query.Period.To,
                starts = query.Period.Granules.Select(granule => granule.From.UtcDateTime).ToArray(),
                ends = query.Period.Granules.Select(granule => granule.To.UtcDateTime).ToArray(),
                bands = bands.Select(band => band.Min).ToArray(),
            },
            cancellationToken: tx.CancellationToken))).AsList();
    }

    private sealed class Row
    {
        public int Granule { get; set; }

        public string Group { get; set; } = "";

        public int Band { get; set; }

        public long Count { get; set; }

        public decimal Total { get; set; }
    }
}
