using Lifecycle.Contracts;

namespace Lifecycle.Capture.Storage;

/// <summary>A known person. An erased one keeps its row, without anything that names the person, so that counts stay.</summary>
internal sealed class LeadRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public long Version { get; init; }

    /// <summary>Normalised; empty when unknown, so that lists can be ordered by it.</summary>
    public required string Email { get; init; }

    /// <summary>Empty when unknown.</summary>
    public required string ExternalId { get; init; }

    public required string Stage { get; init; }

    /// <summary>Version of the stage change that set it.</summary>
    public long StageVersion { get; init; }

    public DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset UpdateTime { get; init; }

    public required string CaptureType { get; init; }

    public string? FormType { get; init; }

    /// <summary>Time of the occasion that <see cref="CaptureType"/> tells of.</summary>
    public DateTimeOffset CaptureTime { get; init; }

    /// <summary>Traits and company with their times.</summary>
    public required string Profile { get; init; }

    /// <summary>E-mail and external id with their times.</summary>
    public required string Own { get; init; }

    /// <summary>Traits and company told by messages that name nobody, with their times.</summary>
    public required string Observed { get; init; }

    public string? ToldTouch { get; init; }

    public string? FirstTouch { get; init; }

    public string? LastTouch { get; init; }

    /// <summary>Channel of the first touch, and so on: for filters and reports.</summary>
    public required string Channel { get; init; }

    public string? Source { get; init; }

    public string? Medium { get; init; }

    public string? Campaign { get; init; }

    public string? Keyword { get; init; }

    public DateTimeOffset? EraseTime { get; init; }
}

/// <summary>A key by which a lead is known.</summary>
internal sealed class LeadIdentityRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary><c>user</c>, <c>email</c> or <c>phone</c>.</summary>
    public required string Kind { get; init; }

    public required string Value { get; init; }

    public Guid LeadId { get; init; }
}

/// <summary>A lead that was merged away, and the one it lives on as.</summary>
internal sealed class LeadRedirectRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid SourceId { get; init; }

    public Guid TargetId { get; init; }
}

/// <summary>A device, by the id its sender gave it.</summary>
internal sealed class VisitorRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string AnonymousId { get; init; }

    /// <summary>Person named last.</summary>
    public Guid? LeadId { get; init; }

    /// <summary>Latest activity.</summary>
    public DateTimeOffset LastTime { get; init; }

    /// <summary>Latest session: looked up by its key, in the one month that holds it.</summary>
    public Guid? LastSessionId { get; init; }

    /// <summary>Until when the device counts as a robot's, since its behaviour gave it away.</summary>
    public DateTimeOffset? BotUntil { get; init; }
}

/// <summary>A visit. Partitioned by the month that its id begins with, that of its start when it was first seen.</summary>
internal sealed class SessionRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public Guid VisitorId { get; init; }

    public Guid? LeadId { get; init; }

    public DateTimeOffset StartTime { get; init; }

    public DateTimeOffset EndTime { get; init; }

    public short SourceKind { get; init; }

    public required string Channel { get; init; }

    public string? Source { get; init; }

    public string? Medium { get; init; }

    public string? Campaign { get; init; }

    public string? Keyword { get; init; }

    public string? ClickId { get; init; }

    /// <summary>Host of the page before, if another site's, also where it is not the source.</summary>
    public string? ReferrerHost { get; init; }

    /// <summary>Version of the rules that assigned the channel; null where it was assigned before rules had versions.</summary>
    public string? ChannelRules { get; init; }

    public string? LandingPage { get; init; }

    public string? ExitPage { get; init; }

    public int PageViews { get; init; }

    public int Activities { get; init; }
}

/// <summary>Something a visitor or a known person did. Partitioned by the month that its id begins with, that of its time.</summary>
internal sealed class ActivityRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public Guid? VisitorId { get; init; }

    public Guid? SessionId { get; init; }

    public Guid? LeadId { get; init; }

    public required string Type { get; init; }

    public required string Name { get; init; }

    public DateTimeOffset Time { get; init; }

    public string? Url { get; init; }

    public required string Properties { get; init; }

    public short SourceKind { get; init; }

    /// <summary>Null, as the six after it, where the activity says nothing of its source.</summary>
    public string? Channel { get; init; }

    public string? Source { get; init; }

    public string? Medium { get; init; }

    public string? Campaign { get; init; }

    public string? Keyword { get; init; }

    public string? ClickId { get; init; }

    public string? ReferrerHost { get; init; }

    /// <summary>Whether it may begin a session.</summary>
    public bool Opens { get; init; }

    /// <summary>Strongest key of a person that the message names.</summary>
    public string? IdentityKind { get; init; }

    public string? IdentityValue { get; init; }
}

/// <summary>A message taken in, for as long as it deduplicates.</summary>
internal sealed class MessageRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>Hash of workspace and message id: a sixth of the index that the ids themselves would need.</summary>
    public required Guid Key { get; init; }

    public DateTimeOffset ReceivedAt { get; init; }
}

/// <summary>Messages that were counted and not kept.</summary>
internal sealed class HitCountRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>Quarter of an hour: every time zone's days begin at one.</summary>
    public DateTimeOffset Bucket { get; init; }

    /// <summary><c>bot</c> or <c>consent</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Bot's name; empty for consent.</summary>
    public required string Detail { get; init; }

    public long Hits { get; init; }
}

/// <summary>How a workspace's sites are tracked.</summary>
internal sealed class TrackingSettingsRow
{
    public required Guid WorkspaceId { get; init; }

    public required string Settings { get; init; }

    public DateTimeOffset UpdateTime { get; init; }
}

/// <summary>What a campaign cost on a day.</summary>
internal sealed class SpendRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public DateOnly Date { get; init; }

    public required string Source { get; init; }

    public required string Medium { get; init; }

    public required string Campaign { get; init; }

    /// <summary>Empty when spend is not by keyword.</summary>
    public required string Keyword { get; init; }

    public required string Channel { get; init; }

    public required string CurrencyCode { get; init; }

    public decimal Amount { get; init; }

    public long Impressions { get; init; }

    public long Clicks { get; init; }

    /// <summary>Microseconds since 1970 of the change, and always more than before.</summary>
    public long Version { get; init; }

    /// <summary>Whether the row says what is told.</summary>
    public bool Says(SpendInfo told) =>
        CurrencyCode == told.Amount.CurrencyCode && Amount == told.Amount.Amount && Impressions == told.Impressions
        && Clicks == told.Clicks;

    /// <summary>The row as other services are told of it, in a channel.</summary>
    public SpendInfo ToInfo(string channel) =>
        new(Date, channel, Source, Medium, Campaign, Keyword, new(CurrencyCode, Amount), Impressions, Clicks);
}

/// <summary>
/// Counts of a period, for reports that cost by periods and groups instead of by visits. Kept in the transaction of the change; the counts
/// of the period's groups (of one dimension) need not add up for visitors, who may come by two channels.
/// </summary>
internal sealed class MetricRollupRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>1 day, 2 week from Monday, 3 month, in the time zone of <see cref="RollupStateRow"/>.</summary>
    public short Granularity { get; init; }

    /// <summary><c>channel</c> and the like; empty for totals.</summary>
    public required string Dimension { get; init; }

    /// <summary>First day of the period.</summary>
    public DateOnly Start { get; init; }

    /// <summary>Value of the dimension; empty where it is not set.</summary>
    public required string Value { get; init; }

    /// <summary>Different visitors of whom a session began.</summary>
    public long Visitors { get; init; }

    public long Sessions { get; init; }

    public long PageViews { get; init; }

    public long Leads { get; init; }

    public long FormLeads { get; init; }

    public long CallLeads { get; init; }

    public long ChatLeads { get; init; }
}

/// <summary>
/// What one transaction changed in <see cref="MetricRollupRow"/>, cell by cell in arrays of one length, until it is added there. To add it
/// at once would write a hundred rows for a few visits, the same ones again and again; the view <c>metric_count</c> shows both together.
/// </summary>
internal sealed class MetricChangeRow
{
    public required Guid WorkspaceId { get; init; }

    public Guid Id { get; init; }

    public required short[] Granularities { get; init; }

    public required string[] Dimensions { get; init; }

    public required DateOnly[] Starts { get; init; }

    public required string[] GroupValues { get; init; }

    public required long[] Visitors { get; init; }

    public required long[] Sessions { get; init; }

    public required long[] PageViews { get; init; }

    public required long[] Leads { get; init; }

    public required long[] FormLeads { get; init; }

    public required long[] CallLeads { get; init; }

    public required long[] ChatLeads { get; init; }
}

/// <summary>Says that a workspace's rollups are complete, and by which days.</summary>
internal sealed class RollupStateRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>IANA name of the zone whose days the rollups count by.</summary>
    public required string TimeZone { get; init; }
}
