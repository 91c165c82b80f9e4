using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Handoffs;

/// <summary>Where a hand-off stands.</summary>
public enum HandoffState
{
    /// <summary>Waits for sales.</summary>
    Open = 1,

    /// <summary>Sales took it.</summary>
    Accepted = 2,

    /// <summary>Sales handed it back.</summary>
    Returned = 3,

    /// <summary>The lead cooled down or was ruled out before sales answered.</summary>
    Expired = 4,

    /// <summary>Sales ruled the lead out.</summary>
    Disqualified = 5,
}

/// <summary>What becomes of a hand-off.</summary>
public static class HandoffMachine
{
    /// <summary>Reasons of a hand-back that a workspace starts with.</summary>
    public static IReadOnlyList<string> DefaultReturnReasons { get; } =
    [
        "NOT_READY", "NO_BUDGET", "NO_AUTHORITY", "NO_NEED", "BAD_TIMING", "UNREACHABLE", "WRONG_CONTACT", "COMPETITOR", "DUPLICATE",
        "OTHER",
    ];

    /// <summary>Errors: FAILED_PRECONDITION unless the hand-off is open.</summary>
    public static Result<Unit> Accept(HandoffState state) =>
        state == HandoffState.Open ? default(Unit) : Error.Precondition(
            $"The hand-off is {Name(state)}; only an OPEN one can be accepted.");

    /// <summary>Errors: FAILED_PRECONDITION unless the hand-off is open, or accepted while the lead still stands at SQL.</summary>
    public static Result<Unit> Return(HandoffState state, Stage lead) => (state, lead) switch
    {
        (HandoffState.Open, _) or (HandoffState.Accepted, Stage.Sql) => default(Unit),
        (HandoffState.Accepted, _) =>
            Error.Precondition($"The hand-off was accepted and its lead is {lead.Name()} by now; only at SQL can it be returned."),
        _ => Error.Precondition($"The hand-off is {Name(state)}; only an OPEN or ACCEPTED one can be returned."),
    };

    /// <summary>Errors: FAILED_PRECONDITION unless the hand-off is open, or accepted while the lead still stands at SQL.</summary>
    public static Result<Unit> Disqualify(HandoffState state, Stage lead) => (state, lead) switch
    {
        (HandoffState.Open, _) or (HandoffState.Accepted, Stage.Sql) => default(Unit),
        (HandoffState.Accepted, _) =>
            Error.Precondition($"The hand-off was accepted and its lead is {lead.Name()} by now; only at SQL can it be ruled out."),
        _ => Error.Precondition($"The hand-off is {Name(state)}; only the lead of an OPEN or ACCEPTED one can be ruled out."),
    };

    /// <summary>Errors: FAILED_PRECONDITION unless sales have it or are asked for it.</summary>
    public static Result<Unit> Assign(HandoffState state) => state is HandoffState.Open or HandoffState.Accepted
        ? default(Unit)
        : Error.Precondition($"The hand-off is {Name(state)}; only an OPEN or ACCEPTED one has an owner to name.");

    /// <summary>What an open hand-off becomes when its lead moves by another way than through the hand-off; null: it stays open.</summary>
    public static HandoffState? AfterMove(Move move) => move switch
    {
        { To: Stage.Mql } => null,
        { To: >= Stage.Sql and <= Stage.Advocate } => HandoffState.Accepted,
        { To: Stage.Lead, Reason: StageReasons.Recycled } => HandoffState.Returned,
        _ => HandoffState.Expired,
    };

    public static string Name(this HandoffState state) => state.ToString().ToUpperInvariant();
}
