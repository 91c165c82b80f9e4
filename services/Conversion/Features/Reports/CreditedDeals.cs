using System.Text.Json;
using Dapper;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Closed deals with the journeys before them, credited by the model of a report.</summary>
public sealed class CreditedDeals
{
    private readonly ReportQuery query;
    private readonly List<Row> rows;

    private CreditedDeals(ReportQuery query, List<Row> rows) => (this.query, this.rows) = (query, rows);

    /// <summary>Deals whose journey is still to be frozen; they are credited by the lead's first touch until then.</summary>
    public int Pending => rows.Count(row => row.State == "WON" && row is { LeadId: not null, Touches: null });

    /// <summary>
    /// Reads the deals that the report may credit: closed in its period, or of leads created in it. FAILED_PRECONDITION beyond
    /// <paramref name="limit"/> deals.
    /// </summary>
    public static async Task<Result<CreditedDeals>> Read(Transaction<ConversionDbContext> tx, ReportQuery query, int limit)
    {
        var rows = (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            """
            select o.id, o.state, o.amount, o.close_time, o.create_time, o.lead_id, j.touches, l.create_time as lead_create_time, l.channel, l.source,
              l.medium, l.campaign, l.keyword, l.touch_time,
              o.state = 'WON' and not exists (
                select 1 from opportunity e where e.workspace_id = o.workspace_id and e.lead_id = o.lead_id and e.state = 'WON'
                  and (e.close_time, e.id) < (o.close_time, o.id)) as is_first
            from opportunity o
            left join lead l on l.workspace_id = o.workspace_id and l.lead_id = o.lead_id
            left join journey j on j.workspace_id = o.workspace_id and j.opportunity_id = o.id
            where o.workspace_id = @workspace and o.state <> 'OPEN'
              and ((o.close_time >= @from and o.close_time < @to)
                or (coalesce(l.create_time, o.create_time) >= @from and coalesce(l.create_time, o.create_time) < @to))
            order by o.close_time, o.id limit @limit
            """,
            new { workspace = tx.WorkspaceId, from = query.Granules[0].From, to = query.Granules[^1].To, limit = limit + 1 },
            cancellationToken: tx.CancellationToken))).AsList();
        return rows.Count > limit
            ? Error.Precondition($"The period has more than {limit} deals to credit; ask for a shorter one.")
            : new CreditedDeals(query, rows);
    }

    /// <summary>Bookings of deals won in the point.</summary>
    public IReadOnlyList<DealCredit> Won(int granule)
    {
        var point = query.Granules[granule];
        return Credit(rows.Where(row => row.State == "WON" && row.CloseTime >= point.From && row.CloseTime < point.To), granule);
    }

    /// <summary>First deals of leads, and deals without a lead, won in the point.</summary>
    public IReadOnlyList<DealCredit> FirstWon(int granule)
    {
        var point = query.Granules[granule];
        return Credit(rows.Where(row => row.IsFirst && row.CloseTime >= point.From && row.CloseTime < point.To), granule);
    }

    /// <summary>1-year bookings: deals of leads created in the point, won within a year of that.</summary>
    public IReadOnlyList<DealCredit> YearWon(int granule)
    {
        var point = query.Granules[granule];
        return Credit(
            rows.Where(row => row.State == "WON" && row.Origin >= point.From && row.Origin < point.To && row.CloseTime < row.Origin.AddYears(1)), granule);
    }

    private IReadOnlyList<DealCredit> Credit(IEnumerable<Row> won, int granule)
    {
        var point = query.Granules[granule];
        var lost = query.Model == AttributionKind.Markov
            ? rows.Where(row => row.State == "LOST" && row.LeadId is not null && row.CloseTime >= point.From && row.CloseTime < point.To).Select(Touches).ToArray()
            : [];
        var deals = won.Select(row => new Deal(Touches(row), new Money(query.Caller.CurrencyCode, row.Amount))).ToArray();
        return AttributionCredits.Credit(query.Model, deals, lost, query.Caller.CurrencyCode, query.HalfLifeDays);
    }

    private PathTouch[] Touches(Row row)
    {
        JourneyTouch[] journey = row.Touches is null ? [] : JsonSerializer.Deserialize<JourneyTouch[]>(
            row.Touches, JsonSerializerOptions.Web)!;
        if (journey.Length == 0)
        {
            return [new PathTouch(GroupKeys.Of(query.Dimensions.Select(row.Value)), row.Channel == "Direct", row.TouchTime ?? row.Origin)];
        }

        var lead = LastBefore(journey, row.LeadCreateTime);
        var opportunity = LastBefore(journey, row.CreateTime);
        return journey.Select((touch, index) => new PathTouch(
            GroupKeys.Of(query.Dimensions.Select(dimension => Value(touch, dimension))),
            touch.Channel == "Direct",
            touch.Time,
            (index == lead ? Milestones.LeadCreated : 0) | (index == opportunity ? Milestones.OpportunityCreated : 0)
                | (index == journey.Length - 1 ? Milestones.Closed : 0))).ToArray();
    }

    /// <summary>The touch that brought something about: the last one before it, or the first where all came after.</summary>
    private static int LastBefore(JourneyTouch[] journey, DateTimeOffset? time) =>
        time is { } moment ? Math.Max(0, Array.FindLastIndex(journey, touch => touch.Time <= moment)) : -1;

    private static string? Value(JourneyTouch touch, string dimension) => dimension switch
    {
        "channel" => touch.Channel,
        "source" => touch.Source,
        "medium" => touch.Medium,
        "campaign" => touch.Campaign,
        _ => touch.Keyword,
    };

    private sealed class Row
    {
        public Guid Id { get; init; }

        public string State { get; init; } = "";

        public decimal Amount { get; init; }

        public DateTimeOffset CloseTime { get; init; }

        public DateTimeOffset CreateTime { get; init; }

        public Guid? LeadId { get; init; }

        public string? Touches { get; init; }

        public DateTimeOffset? LeadCreateTime { get; init; }

        public string? Channel { get; init; }

        public string? Source { get; init; }

        public string? Medium { get; init; }

        public string? Campaign { get; init; }

        public string? Keyword { get; init; }

        public DateTimeOffset? TouchTime { get; init; }

        public bool IsFirst { get; init; }

        /// <summary>When what led to the deal began: the lead's creation, or the deal's where it has no lead.</summary>
        public DateTimeOffset Origin => LeadCreateTime ?? CreateTime;

        public string? Value(string dimension) => dimension switch
        {
            "channel" => Channel,
            "source" => Source,
            "medium" => Medium,
            "campaign" => Campaign,
            _ => Keyword,
        };
    }
}
