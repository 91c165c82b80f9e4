namespace Lifecycle.Capture.Domain.Visits;

/// <summary>
/// Tells a robot that hides by its behaviour: a session with more pages, in less time, than a person can see. Judged by the session as a
/// whole, so that the order in which its messages arrive does not matter.
/// </summary>
/// <param name="MinPageViews">Pages from which on a session is judged; 0 judges none.</param>
/// <param name="PagesPerSecond">Average rate from which on it is a robot's.</param>
public sealed record BotPolicy(int MinPageViews, double PagesPerSecond)
{
    /// <summary>Name under which such robots are counted.</summary>
    public const string Name = "rate";

    /// <summary>Whether no person can have had this session.</summary>
    public bool IsRobot(VisitSession session) =>
        MinPageViews > 0 && session.PageViews >= MinPageViews
        && session.PageViews >= PagesPerSecond * (session.End - session.Start).TotalSeconds;
}
