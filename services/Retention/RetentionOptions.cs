using System.ComponentModel.DataAnnotations;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention;

/// <summary>Section <c>Retention</c>.</summary>
public sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>Address at which the gateway is reached from outside; links to answer pages begin with it.</summary>
    [Required]
    public Uri PublicBaseUrl { get; set; } = new("http://localhost:8080");

    /// <summary>How long a link to an answer page is good for.</summary>
    [Range(1, 730)]
    public int LinkDays { get; set; } = 90;

    /// <summary>Rows of an import that are committed together.</summary>
    [Range(1, 5000)]
    public int ImportBatchSize { get; set; } = 1000;

    /// <summary>
    /// Imported entries of which the other services hear a second, at most: less than they can handle, so that nothing live waits behind an
    /// import in their queues.
    /// </summary>
    [Range(RevenueEvents.Portion, 100_000)]
    public int RevenueAnnouncementsPerSecond { get; set; } = 500;

    /// <summary>Seconds between looks for imported entries that another process left untold.</summary>
    [Range(1, 86_400)]
    public int RevenueAnnouncementSeconds { get; set; } = 60;

    /// <summary>Seconds between rounds in which the months of changed customers are counted.</summary>
    [Range(1, 3600)]
    public int RollupPauseSeconds { get; set; } = 5;

    /// <summary>Seconds between rounds in which customers are scored whose risk is due.</summary>
    [Range(1, 3600)]
    public int RiskPauseSeconds { get; set; } = 10;

    /// <summary>Cases that a churn model is learnt from at most, the latest first.</summary>
    [Range(100, 500_000)]
    public int MaxTrainingCases { get; set; } = 50_000;

    /// <summary>Minutes between rounds in which customers are held against the rules of expansion.</summary>
    [Range(1, 1440)]
    public int ExpansionPauseMinutes { get; set; } = 60;

    /// <summary>Seconds between rounds in which customers are held against the rule of advocates.</summary>
    [Range(0.1, 3600)]
    public double AdvocatePauseSeconds { get; set; } = 10;

    /// <summary>Seconds between rounds in which surveys look whom to ask.</summary>
    [Range(0.1, 86400)]
    public double SurveyPollSeconds { get; set; } = 300;
}
