using System.ComponentModel.DataAnnotations;

namespace Lifecycle.Conversion;

/// <summary>Settings of the service, section <c>Conversion</c>.</summary>
public sealed class ConversionOptions
{
    public const string Section = "Conversion";

    /// <summary>How often the worker looks for journeys to freeze when nothing wakes it.</summary>
    [Range(1, 3600)]
    public int JourneyPollSeconds { get; set; } = 5;

    /// <summary>Journeys fetched in one round of a workspace.</summary>
    [Range(1, 1000)]
    public int JourneyBatch { get; set; } = 50;

    /// <summary>Longest pause between attempts to fetch one journey.</summary>
    [Range(1, 86400)]
    public int JourneyLongestPauseSeconds { get; set; } = 300;

    /// <summary>How often hand-offs are looked through for passed deadlines.</summary>
    [Range(1, 3600)]
    public int HandoffPollSeconds { get; set; } = 15;

    /// <summary>Hand-offs warned of in one transaction.</summary>
    [Range(1, 5000)]
    public int HandoffBatch { get; set; } = 500;

    /// <summary>How often connections to CRMs are looked through for due pulls.</summary>
    [Range(1, 3600)]
    public int CrmPollSeconds { get; set; } = 5;

    /// <summary>Days in a stage after which a lead counts as stalled, where too few have left the stage to tell by experience.</summary>
    [Range(1, 3650)]
    public int StallDays { get; set; } = 30;

    /// <summary>Fewest leads that left a stage within a year for its 90th percentile to be the stall limit.</summary>
    [Range(1, 100000)]
    public int StallMinimumLeads { get; set; } = 20;

    /// <summary>How long what is known of stays in a stage is used before it is learnt anew.</summary>
    [Range(1, 86400)]
    public int StallLimitSeconds { get; set; } = 600;

    /// <summary>How often what was counted of each day is added up.</summary>
    [Range(1, 86400)]
    public int DayCountPollSeconds { get; set; } = 60;

    /// <summary>Rows of an import in one transaction.</summary>
    [Range(1, 5000)]
    public int ImportBatch { get; set; } = 500;

    /// <summary>How often the worker looks for attribution runs when nothing wakes it.</summary>
    [Range(1, 3600)]
    public int AttributionPollSeconds { get; set; } = 5;

    /// <summary>Conversions that an attribution run credits between two notes of its progress.</summary>
    [Range(100, 200_000)]
    public int AttributionBatch { get; set; } = 20_000;

    /// <summary>Most deals that one report credits; a longer period is refused.</summary>
    [Range(1, 1000000)]
    public int MaxReportDeals { get; set; } = 100_000;
}
