using Lifecycle.Capture.Domain.Channels;

namespace Lifecycle.Capture.Domain.Visits;

/// <summary>What the sessionizer needs to know of one activity of a visitor.</summary>
/// <param name="Id">Activity id.</param>
/// <param name="Time">When it happened, UTC.</param>
/// <param name="IsPageView">A page or screen was seen.</param>
/// <param name="Url">Page on which it happened.</param>
/// <param name="Source">Where it says the visitor came from.</param>
/// <param name="Opens">Whether it may begin a session; what a server reports without a page only joins one.</param>
/// <param name="Lead">Lead that the activity's own message names; null when it names none that is known.</param>
public sealed record VisitActivity(Guid Id, DateTimeOffset Time, bool IsPageView, string? Url, TrafficSource Source, bool Opens, Guid? Lead)
{
    /// <summary>Time, then campaign before referrer before nothing, then id: one order whatever the order of arrival.</summary>
    public static IComparer<VisitActivity> Order { get; } = Comparer<VisitActivity>.Create((left, right) =>
        left.Time != right.Time ? left.Time.CompareTo(right.Time)
        : left.Source.Kind != right.Source.Kind ? right.Source.Kind.CompareTo(left.Source.Kind)
        : left.Id.CompareTo(right.Id));
}

/// <summary>One session as a fold over its activities.</summary>
/// <param name="Start">First activity.</param>
/// <param name="End">Last activity.</param>
/// <param name="Lead">Whose session it is; null while anonymous.</param>
/// <param name="Source">Source of the first activity that says anything of it; <see cref="EvidenceKind.None"/> until then.</param>
/// <param name="LandingPage">First page.</param>
/// <param name="ExitPage">Last page.</param>
/// <param name="PageViews">Pages and screens seen.</param>
/// <param name="Activities">Activities, page views among them.</param>
public sealed record VisitSession(
    DateTimeOffset Start, DateTimeOffset End, Guid? Lead, TrafficSource Source, string? LandingPage, string? ExitPage,
    int PageViews, int Activities)
{
    public static VisitSession Begin(VisitActivity first, Guid? lead) =>
        new VisitSession(first.Time, first.Time, lead, TrafficSource.None, null, null, 0, 0).With(first);

    /// <summary>Whether the activity, later than all before it, still belongs here.</summary>
    public bool Continues(VisitActivity next, Guid? lead, TimeSpan inactivity) =>
        next.Time - End < inactivity && lead == Lead
        && !(next.Source.Kind == EvidenceKind.Campaign && Source.Kind != EvidenceKind.None && !Source.SameCampaign(next.Source));

    public VisitSession With(VisitActivity next) => this with
    {
        End = next.Time,
        Source = Source.Kind == EvidenceKind.None ? next.Source : Source,
        LandingPage = LandingPage ?? next.Url,
        ExitPage = next.Url ?? ExitPage,
        PageViews = PageViews + (next.IsPageView ? 1 : 0),
        Activities = Activities + 1,
    };
}
