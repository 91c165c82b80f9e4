using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.SalesReports;

/// <summary>
/// When an open deal has been in its stage for too long: longer than nine in ten stays there that ended within a year, or than the
/// configured limit where too few have ended.
/// </summary>
public sealed class OpportunityStalls(IOptions<ConversionOptions> options)
{
    /// <summary>Common table expression <c>stay_limit(pipeline_id, stage, median, p90, stays)</c>, seconds.</summary>
    public const string Limits =
        """
        with stay_limit as (
          select pipeline_id, from_stage as stage, count(*) as stays,
            percentile_cont(0.5) within group (order by stay_seconds) as median,
            percentile_cont(0.9) within group (order by stay_seconds) as p90
          from opportunity_change
          where workspace_id = @workspace and stay_seconds is not null and time >= @staysFrom and from_stage <> ''
          group by pipeline_id, from_stage)
        """;

    /// <summary>Condition on <c>opportunity o</c>.</summary>
    public const string IsStalled =
        """
        (o.state = 'OPEN' and extract(epoch from @staysTo - o.stage_time) > coalesce(
          (select l.p90 from stay_limit l where l.pipeline_id = o.pipeline_id and l.stage = o.stage and l.stays >= @staysNeeded), @stallSeconds))
        """;

    /// <summary>Parameters of both.</summary>
    /// <param name="now">Time of the question.</param>
    /// <param name="days">Days of history.</param>
    public object Parameters(DateTimeOffset now, int days = 365) => new
    {
        staysFrom = now.AddDays(-days),
        staysTo = now,
        staysNeeded = options.Value.StallMinimumLeads,
        stallSeconds = StallDays * 86_400.0,
    };

    /// <summary>Fewest stays that the 90th percentile is taken from.</summary>
    public int MinimumStays => options.Value.StallMinimumLeads;

    /// <summary>The limit where fewer have ended.</summary>
    public int StallDays => options.Value.StallDays;
}
