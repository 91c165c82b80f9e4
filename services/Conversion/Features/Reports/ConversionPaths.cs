using Dapper;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// Deals won that are credited alike: models that look only at which touches there were, in which order, need each path once, with the
/// amounts of its deals.
/// </summary>
public sealed class ConversionPath
{
    /// <summary>Place of the point that the deals closed in; -1 for none.</summary>
    public int Closed { get; init; }

    /// <summary>Place of the point that their 1-year bookings belong to; -1 for none.</summary>
    public int Year { get; init; }

    /// <summary>First deals of their leads, or deals without a lead.</summary>
    public bool IsFirst { get; init; }

    /// <summary>Keys of the touches, oldest first; the lead's first touch where the journey tells none, and empty without a lead.</summary>
    public long[] Keys { get; init; } = [];

    public long Conversions { get; init; }

    /// <summary>What is split by itself: the amount of each deal, or of all where one touch takes it.</summary>
    public decimal[] Amounts { get; init; } = [];

    /// <summary>Deals whose journey is still to be frozen.</summary>
    public long Pending { get; init; }
}

/// <summary>Reads deals won by their paths.</summary>
public static class ConversionPaths
{
    /// <summary>Whether the model looks neither at times nor at what touches brought about.</summary>
    public static bool Suffice(ReportQuery query, int? lookbackDays) =>
        lookbackDays is null && query.Kind == V1.ConversionKind.Customer
        && query.Model is AttributionKind.FirstTouch or AttributionKind.LastTouch or AttributionKind.LastNonDirect or AttributionKind.Linear
            or AttributionKind.PositionBased or AttributionKind.Shapley;

    /// <summary>The paths of deals closed in the period, or of leads created in it.</summary>
    public static async Task<IReadOnlyList<ConversionPath>> Read(Transaction<ConversionDbContext> tx, ReportQuery query)
    {
        var cut = Cut.Of(query.Granules, []);
        var (keys, amounts) = query.Model switch
        {
            AttributionKind.FirstTouch => ("j.path_keys[1:1]", "array[sum(amount)]"),
            AttributionKind.LastTouch => ("j.path_keys[cardinality(j.path_keys):]", "array[sum(amount)]"),
            _ => ("j.path_keys", "array_agg(amount)"),
        };
        return (await ReportData.Query<ConversionPath>(
            tx,
            cut,
            $"""
            with repeated as materialized (
              select lead_id from deal_fact where workspace_id = @workspace and state = 'WON' and lead_id is not null
              group by lead_id having count(*) > 1),
            later as materialized (
              select opportunity_id from (
                select f.opportunity_id, row_number() over (partition by f.lead_id order by f.close_time, f.opportunity_id) as place
                from repeated r join deal_fact f on f.workspace_id = @workspace and f.lead_id = r.lead_id and f.state = 'WON') won
              where place > 1),
            deal as (
              select case when f.close_time >= @first and f.close_time < @last then {cut.Point("f.close_time")} - 1 else -1 end as closed,
                case when f.origin_time >= @first and f.origin_time < @last
                  and f.close_time < (f.origin_time at time zone 'UTC' + interval '1 year') at time zone 'UTC'
                  then {cut.Point("f.origin_time")} - 1 else -1 end as year,
                l.opportunity_id is null as is_first,
                case when cardinality(j.path_keys) > 0 then {keys} when f.source_key is not null then array[f.source_key] else '{"{}"}' end as keys,
                f.amount, f.lead_id is not null and j.path_keys is null as is_pending
              from deal_fact f
              left join later l on l.opportunity_id = f.opportunity_id
              left join journey j on j.workspace_id = f.workspace_id and j.opportunity_id = f.opportunity_id
              where f.workspace_id = @workspace and f.state = 'WON'
                and ((f.close_time >= @first and f.close_time < @last) or (f.origin_time >= @first and f.origin_time < @last)))
            select closed, year, is_first, keys, count(*) as conversions, {amounts} as amounts, count(*) filter (where is_pending) as pending
            from deal group by 1, 2, 3, 4
            """)).AsList();
    }
}
