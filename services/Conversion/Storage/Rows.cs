using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Storage;

/// <summary>A lead as this service knows it. Its row is the lock for everything that may move the lead.</summary>
public sealed class LeadRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public Stage Stage { get; set; } = Stage.Visitor;

    public Stage HighestStage { get; set; } = Stage.Visitor;

    /// <summary>Version of the last stage change.</summary>
    public long Version { get; set; }

    public DateTimeOffset? EnterTime { get; set; }

    /// <summary>Whether Capture told of the lead; what others say of it before is held.</summary>
    public bool Captured { get; set; }

    public decimal? Score { get; set; }

    /// <summary>Highest version of Scoring's verdicts applied.</summary>
    public long ScoringVersion { get; set; }

    /// <summary>Highest version of Retention's events applied.</summary>
    public long RetentionVersion { get; set; }

    public long ProfileVersion { get; set; }

    public string? Email { get; set; }

    public string? ExternalId { get; set; }

    public string? CaptureType { get; set; }

    public string? FormType { get; set; }

    public DateTimeOffset? CreateTime { get; set; }

    public string? Channel { get; set; }

    public string? Source { get; set; }

    public string? Medium { get; set; }

    public string? Campaign { get; set; }

    public string? Keyword { get; set; }

    public string? LandingPage { get; set; }

    public string? ClickId { get; set; }

    public DateTimeOffset? TouchTime { get; set; }

    public Guid? SessionId { get; set; }

    /// <summary>JSON object of texts: what else Capture knows of the person.</summary>
    public string Traits { get; set; } = "{}";

    /// <summary>JSON of <see cref="CompanyInfo"/>; null where unknown.</summary>
    public string? Company { get; set; }

    /// <summary>The lead it lives on as.</summary>
    public Guid? MergedInto { get; set; }

    public bool Erased { get; set; }

    /// <summary>When it first recommended us, customer or not.</summary>
    public DateTimeOffset? AdvocateTime { get; set; }

    /// <summary>Left before we heard that it was a customer.</summary>
    public DateTimeOffset? ChurnTime { get; set; }

    public LeadPosition Position => new(Stage, HighestStage, Version, EnterTime);

    public TouchInfo? FirstTouch => Channel is null ? null
        : new(Channel, Source, Medium, Campaign, Keyword, LandingPage, ClickId, TouchTime ?? CreateTime ?? DateTimeOffset.UnixEpoch,
            SessionId);
}

/// <summary>One change of stage; never altered, but for words that name a person who asked to be forgotten.</summary>
public sealed class StageChangeRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public required long Version { get; init; }

    public required Stage FromStage { get; init; }

    public required Stage ToStage { get; init; }

    public required string Reason { get; init; }

    public required string Actor { get; init; }

    public required DateTimeOffset Time { get; init; }

    public decimal? Score { get; init; }

    public string? Note { get; init; }
}

/// <summary>A lead offered to sales.</summary>
public sealed class HandoffRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required Guid LeadId { get; set; }

    public HandoffState State { get; set; } = HandoffState.Open;

    public string? Owner { get; set; }

    /// <summary>JSON array of <see cref="ReasonInfo"/>.</summary>
    public string Reasons { get; set; } = "[]";

    public required DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset? AcceptTime { get; set; }

    public DateTimeOffset? CloseTime { get; set; }

    public decimal? Score { get; init; }

    public string? ReturnReason { get; set; }

    public string? Note { get; set; }

    /// <summary>Team whose rule or turn named the owner; null where a person did.</summary>
    public Guid? TeamId { get; set; }

    /// <summary>Until when sales should answer; null without a deadline.</summary>
    public DateTimeOffset? DueTime { get; set; }

    /// <summary>When it was told that the deadline had passed; also set, untold, for what was backfilled.</summary>
    public DateTimeOffset? OverdueTime { get; set; }

    /// <summary>Whether the lead had fallen back before and engaged again.</summary>
    public bool Reopened { get; init; }
}

/// <summary>Named steps of deals.</summary>
public sealed class PipelineRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    /// <summary>JSON array of <see cref="PipelineStep"/>.</summary>
    public required string Stages { get; set; }

    public bool IsDefault { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>A deal.</summary>
public sealed class OpportunityRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public Guid? LeadId { get; set; }

    public string? ExternalId { get; init; }

    public required string Name { get; set; }

    public decimal Amount { get; set; }

    public required string CurrencyCode { get; init; }

    public required Guid PipelineId { get; init; }

    public required string Stage { get; set; }

    public OpportunityState State { get; set; } = OpportunityState.Open;

    public string? Owner { get; set; }

    public string? Product { get; set; }

    public string? Account { get; set; }

    public required DateTimeOffset CreateTime { get; set; }

    public DateOnly? ExpectedCloseDate { get; set; }

    public DateTimeOffset? CloseTime { get; set; }

    public string? LoseReason { get; set; }

    public string? Competitor { get; set; }

    /// <summary>When it entered its stage.</summary>
    public DateTimeOffset StageTime { get; set; }

    /// <summary>JSON array of <see cref="DealContact"/>.</summary>
    public string Contacts { get; set; } = "[]";

    /// <summary>JSON array of <see cref="DealLine"/>.</summary>
    public string Lines { get; set; } = "[]";

    /// <summary>JSON object: field → when it was changed last, here or in a CRM.</summary>
    public string FieldTimes { get; set; } = "{}";

    /// <summary>The lost deal that this one takes up again.</summary>
    public Guid? ReopenedFrom { get; init; }

    /// <summary>The deal that took this lost one up again; that one answers to the external id from then on.</summary>
    public Guid? ReopenedAs { get; set; }

    public long Version { get; set; } = 1;
}

/// <summary>The touches before a closed deal, as they were when it closed.</summary>
public sealed class JourneyRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid OpportunityId { get; init; }

    public required Guid LeadId { get; set; }

    /// <summary>When it is fetched from Capture next; null once frozen.</summary>
    public DateTimeOffset? DueTime { get; set; }

    public int Attempts { get; set; }

    /// <summary>JSON array of <see cref="JourneyTouch"/>, oldest first; null until frozen.</summary>
    public string? Touches { get; set; }
}

/// <summary>One touch of a frozen journey.</summary>
/// <param name="LandingPage">Page without what follows <c>?</c> or <c>#</c>, which may name a person.</param>
public sealed record JourneyTouch(
    string Channel, string? Source, string? Medium, string? Campaign, string? Keyword, DateTimeOffset Time, string? LandingPage = null)
{
    /// <summary>The page of an address, or null.</summary>
    public static string? Page(string? url) => url is { Length: > 0 } && url.Split('?')[0].Split('#')[0] is { Length: > 0 } page ? page
        : null;
}

/// <summary>Programme spend of one day and source.</summary>
public sealed class SpendRow
{
    public required Guid WorkspaceId { get; init; }

    public required DateOnly Date { get; init; }

    public required string Source { get; init; }

    public required string Medium { get; init; }

    public required string Campaign { get; init; }

    public required string Keyword { get; init; }

    public required string Channel { get; init; }

    public required decimal Amount { get; init; }

    public required string CurrencyCode { get; init; }

    public required long Clicks { get; init; }

    public required long Version { get; init; }
}

/// <summary>The reasons that a hand-back may give, where the workspace has its own.</summary>
public sealed class ReturnReasonsRow
{
    public required Guid WorkspaceId { get; init; }

    public required string[] Reasons { get; set; }
}

/// <summary>What another service said of a lead that Capture has not told of yet.</summary>
public sealed class HeldEventRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid EventId { get; init; }

    public required Guid LeadId { get; set; }

    /// <summary>Name of the event's record.</summary>
    public required string Type { get; init; }

    public required string Body { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }
}
