namespace Lifecycle.Nurture.Storage;

/// <summary>
/// What nurture knows of a lead. Facts come from three services in any order: each kind has its version, and the higher one wins. A row
/// exists from the first event that names the lead; <see cref="ProfileVersion"/> 0 means that no profile has come yet.
/// </summary>
public sealed class LeadRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public long ProfileVersion { get; set; }

    /// <summary>Normalized; null where unknown or not an address.</summary>
    public string? Email { get; set; }

    public string? ExternalId { get; set; }

    public string? CaptureType { get; set; }

    public string? FormType { get; set; }

    public DateTimeOffset? CreateTime { get; set; }

    public string Channel { get; set; } = "";

    public string Source { get; set; } = "";

    public string Medium { get; set; } = "";

    public string Campaign { get; set; } = "";

    /// <summary>Of the first touch, as are the four above.</summary>
    public string? Keyword { get; set; }

    public string? LandingPage { get; set; }

    /// <summary>JSON of the source of the last visit; null where none is known.</summary>
    public string? LastTouch { get; set; }

    /// <summary>JSON object of texts.</summary>
    public string Traits { get; set; } = "{}";

    /// <summary>JSON of the company; null where unknown.</summary>
    public string? Company { get; set; }

    /// <summary>Stage name, e.g. <c>MQL</c>; null where Conversion has not spoken yet.</summary>
    public string? Stage { get; set; }

    public long StageVersion { get; set; }

    public decimal? Score { get; set; }

    public string? Grade { get; set; }

    public string? Band { get; set; }

    public long ScoreVersion { get; set; }

    /// <summary>Why sales handed the lead back last.</summary>
    public string? ReturnReason { get; set; }

    public DateTimeOffset? ReturnTime { get; set; }

    /// <summary>Last activity of the person.</summary>
    public DateTimeOffset? EngageTime { get; set; }

    public DateTimeOffset? EraseTime { get; set; }

    /// <summary>The lead that this one proved to be; its events are that one's.</summary>
    public Guid? MergedInto { get; set; }
}

/// <summary>A score as it was told, for the change of scores by step.</summary>
public sealed class ScoreChangeRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required long Version { get; init; }

    public required decimal Score { get; init; }
}

/// <summary>A move to MQL. Its key is the event's id.</summary>
public sealed class MqlRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required Guid LeadId { get; init; }

    public required DateTimeOffset Time { get; init; }
}

/// <summary>A hand-back by sales, and when the lead engaged again after it.</summary>
public sealed class RecyclingRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required Guid LeadId { get; init; }

    public required DateTimeOffset ReturnTime { get; init; }

    public DateTimeOffset? ReopenTime { get; set; }
}

/// <summary>Program spend by day and source; the same key replaces.</summary>
public sealed class SpendRow
{
    public required Guid WorkspaceId { get; init; }

    public required DateOnly Date { get; init; }

    public required string Source { get; init; }

    public required string Medium { get; init; }

    public required string Campaign { get; init; }

    public required string Keyword { get; init; }

    public required string Channel { get; init; }

    public required string CurrencyCode { get; init; }

    public required decimal Amount { get; init; }

    public required long Version { get; init; }
}
