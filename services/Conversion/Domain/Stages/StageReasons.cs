namespace Lifecycle.Conversion.Domain.Stages;

/// <summary>Why a lead moved, as the API, the events and the ledger spell it.</summary>
public static class StageReasons
{
    public const string Captured = "CAPTURED";
    public const string Qualified = "QUALIFIED";
    public const string Accepted = "ACCEPTED";
    public const string OpportunityOpened = "OPPORTUNITY_OPENED";
    public const string Won = "WON";
    public const string Advocated = "ADVOCATED";
    public const string Churned = "CHURNED";
    public const string Reactivated = "REACTIVATED";
    public const string Manual = "MANUAL";
    public const string Imported = "IMPORTED";
    public const string Merged = "MERGED";
    public const string Disqualified = "DISQUALIFIED";
    public const string Recycled = "RECYCLED";
    public const string ScoreDecayed = "SCORE_DECAYED";
    public const string Lost = "LOST";
    public const string Reopened = "REOPENED";

    public static IReadOnlyList<string> All { get; } =
    [
        Captured, Qualified, Accepted, OpportunityOpened, Won, Advocated, Churned, Reactivated, Manual, Imported, Merged, Disqualified,
        Recycled,
        ScoreDecayed, Lost, Reopened,
    ];

    /// <summary>The four reasons that allow a move back.</summary>
    public static bool IsBackward(string reason) => reason is Recycled or ScoreDecayed or Lost or Reopened;
}
