using Lifecycle.Kernel;
using static Lifecycle.Conversion.Domain.Stages.StageReasons;

namespace Lifecycle.Conversion.Domain.Stages;

/// <summary>Where a lead stands in the ledger.</summary>
/// <param name="Current">Stage now; <see cref="Stage.Visitor"/> before the first change.</param>
/// <param name="Highest">Furthest stage of the funnel ever reached.</param>
/// <param name="Version">Changes so far.</param>
/// <param name="EnterTime">Time of the last change; null before the first.</param>
public sealed record LeadPosition(Stage Current, Stage Highest, long Version, DateTimeOffset? EnterTime)
{
    /// <summary>A person of whom the ledger knows nothing yet.</summary>
    public static LeadPosition Start { get; } = new(Stage.Visitor, Stage.Visitor, 0, null);
}

/// <summary>A move that someone asks for.</summary>
public sealed record StageRequest(Stage To, string Reason, DateTimeOffset Time);

/// <summary>A move that the ledger's rules allow: the next change of the lead.</summary>
/// <param name="Version">One more than before, without gaps.</param>
/// <param name="Time">Never before the change it follows.</param>
public sealed record Move(Stage From, Stage To, Stage Highest, string Reason, long Version, DateTimeOffset Time)
{
    public LeadPosition Position => new(To, Highest, Version, Time);
}

/// <summary>The rules of the stage ledger, in one place.</summary>
/// <remarks>
/// The funnel is LEAD → MQL → SQL → OPPORTUNITY → CUSTOMER → ADVOCATE.
/// <list type="table">
/// <listheader><term>From</term><description>To (reason)</description></listheader>
/// <item><term>VISITOR to CUSTOMER</term><description>any later stage of the funnel; CAPTURED, QUALIFIED, ACCEPTED, OPPORTUNITY_OPENED and
/// WON to their own stage, MANUAL, IMPORTED and MERGED to any; ADVOCATED from CUSTOMER only</description></item>
/// <item><term>MQL, SQL, OPPORTUNITY</term><description>LEAD (RECYCLED)</description></item>
/// <item><term>MQL</term><description>LEAD (SCORE_DECAYED)</description></item>
/// <item><term>OPPORTUNITY</term><description>SQL or LEAD (LOST)</description></item>
/// <item><term>MQL, SQL, OPPORTUNITY</term><description>an earlier stage from LEAD (REOPENED)</description></item>
/// <item><term>LEAD to OPPORTUNITY</term><description>DISQUALIFIED (DISQUALIFIED)</description></item>
/// <item><term>DISQUALIFIED</term><description>LEAD to OPPORTUNITY (REOPENED), OPPORTUNITY (OPPORTUNITY_OPENED), CUSTOMER (WON,
/// IMPORTED)</description></item>
/// <item><term>CUSTOMER, ADVOCATE</term><description>CHURNED (CHURNED)</description></item>
/// <item><term>CHURNED</term><description>CUSTOMER (REACTIVATED, WON)</description></item>
/// </list>
/// </remarks>
public static class StageMachine
{
    /// <summary>
    /// Decides on a move. Errors: INVALID_ARGUMENT for an unknown reason or one that does not lead to the stage, or a backward move without
    /// its reason; FAILED_PRECONDITION where the lead stands in that stage already, or the rules forbid the move from where it stands.
    /// </summary>
    public static Result<Move> Decide(LeadPosition current, StageRequest request)
    {
        if (!All.Contains(request.Reason))
        {
            return Error.Invalid("reason", $"{request.Reason} is no reason; accepted are {string.Join(", ", All)}.");
        }

        if (!LeadsTo(request.Reason, request.To))
        {
            return Error.Invalid("reason", $"{request.Reason} does not lead to {request.To.Name()}.");
        }

        if (current.Current == request.To)
        {
            return Error.Precondition($"The lead is {request.To.Name()} already.");
        }

        if (IsMoveBack(current.Current, request.To) && !IsBackward(request.Reason))
        {
            return Error.Invalid(
                "reason",
                $"From {current.Current.Name()} back to {request.To.Name()} needs one of the reasons RECYCLED, SCORE_DECAYED, LOST, REOPENED.");
        }

        if (!Allows(current.Current, request.To, request.Reason))
        {
            return Error.Precondition($"A lead cannot move from {current.Current.Name()} to {request.To.Name()} as {request.Reason}.");
        }

        var time = current.EnterTime is { } entered && entered > request.Time ? entered : request.Time;
        var highest = IsFunnel(request.To) && request.To > current.Highest ? request.To : current.Highest;
        return new Move(current.Current, request.To, highest, request.Reason, current.Version + 1, time);
    }

    /// <summary>The reason of a move by hand that gives none; null for a backward move, which needs its own.</summary>
    public static string? DefaultReason(Stage from, Stage to) => (from, to) switch
    {
        (_, Stage.Disqualified) => StageReasons.Disqualified,
        (_, Stage.Churned) => StageReasons.Churned,
        (Stage.Churned, _) => Reactivated,
        (Stage.Disqualified, _) => Reopened,
        _ when to < from => null,
        _ => Manual,
    };

    /// <summary>
    /// Where a lost deal leaves its lead: at SQL if sales accepted it since it last was a mere LEAD, else at LEAD.
    /// </summary>
    /// <param name="history">Stages entered, oldest first.</param>
    public static Stage AfterLoss(IEnumerable<Stage> history) =>
        history.LastOrDefault(stage => stage is Stage.Lead or Stage.Sql, Stage.Lead);

    /// <summary>LEAD to ADVOCATE.</summary>
    public static bool IsFunnel(Stage stage) => stage is >= Stage.Lead and <= Stage.Advocate;

    private static bool IsMoveBack(Stage from, Stage to) => IsFunnel(from) && IsFunnel(to) && to < from;

    private static bool LeadsTo(string reason, Stage to) => reason switch
    {
        Captured or Recycled or ScoreDecayed => to is Stage.Lead,
        Qualified => to is Stage.Mql,
        Accepted => to is Stage.Sql,
        OpportunityOpened => to is Stage.Opportunity,
        Won or Reactivated => to is Stage.Customer,
        Advocated => to is Stage.Advocate,
        StageReasons.Churned => to is Stage.Churned,
        StageReasons.Disqualified => to is Stage.Disqualified,
        Lost => to is Stage.Lead or Stage.Sql,
        Reopened => to is >= Stage.Lead and <= Stage.Opportunity,
        _ => IsFunnel(to),
    };

    private static bool Allows(Stage from, Stage to, string reason) => reason switch
    {
        Recycled => from is Stage.Mql or Stage.Sql or Stage.Opportunity,
        ScoreDecayed => from is Stage.Mql,
        Lost => from is Stage.Opportunity,
        Reopened => from is Stage.Disqualified || (from is Stage.Mql or Stage.Sql or Stage.Opportunity && to < from),
        StageReasons.Disqualified => from is >= Stage.Lead and <= Stage.Opportunity,
        StageReasons.Churned => from is Stage.Customer or Stage.Advocate,
        Reactivated => from is Stage.Churned,
        Advocated => from is Stage.Customer,
        Won => from is Stage.Churned or Stage.Disqualified || from < to,
        OpportunityOpened => from is Stage.Disqualified || from < to,
        Imported => (from is Stage.Disqualified && to is Stage.Customer) || from < to,
        _ => from < to,
    };
}
