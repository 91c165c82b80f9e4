using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Visits;

namespace Lifecycle.Capture.Storage;

/// <summary>A stored session.</summary>
internal sealed record StoredSession(Guid Id, Guid VisitorId, VisitSession Session);

/// <summary>A stored activity with its place.</summary>
/// <param name="Tells">It may tell traits of the person it is placed with (see <see cref="Observations"/>).</param>
internal sealed record StoredActivity(Guid VisitorId, VisitActivity Activity, Guid? SessionId, Guid? LeadId, bool Tells);

/// <summary>A stored visitor with the latest session.</summary>
internal sealed record StoredVisitor(Guid Id, string AnonymousId, Guid? LeadId, DateTimeOffset LastTime, StoredSession? LastSession)
{
    /// <summary>Not stored yet.</summary>
    public bool IsNew { get; init; }

    /// <summary>Value of <see cref="BotUntil"/> that says that somebody declared the device human: it is not judged again.</summary>
    public static readonly DateTimeOffset Human = DateTimeOffset.UnixEpoch;

    /// <summary>Until when the device counts as a robot's.</summary>
    public DateTimeOffset? BotUntil { get; init; }
}

/// <summary>Columns of a session, or of an activity's source, as Dapper reads them.</summary>
internal sealed class SessionColumns
{
    public Guid Id { get; init; }

    public Guid VisitorId { get; init; }

    public Guid? LeadId { get; init; }

    public DateTimeOffset StartTime { get; init; }

    public DateTimeOffset EndTime { get; init; }

    public short SourceKind { get; init; }

    public string? Channel { get; init; }

    public string? Source { get; init; }

    public string? Medium { get; init; }

    public string? Campaign { get; init; }

    public string? Keyword { get; init; }

    public string? ClickId { get; init; }

    public string? ReferrerHost { get; init; }

    public string? ChannelRules { get; init; }

    public string? LandingPage { get; init; }

    public string? ExitPage { get; init; }

    public int PageViews { get; init; }

    public int Activities { get; init; }

    public TrafficSource ToSource() =>
        new((EvidenceKind)SourceKind, Channel!, Source, Medium, Campaign, Keyword, ClickId)
        {
            ReferrerHost = ReferrerHost,
            Rules = ChannelRules
        };

    public StoredSession ToSession() =>
        new(Id, VisitorId, new(StartTime, EndTime, LeadId, ToSource(), LandingPage, ExitPage, PageViews, Activities));
}
