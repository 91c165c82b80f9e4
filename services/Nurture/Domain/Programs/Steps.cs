using System.Text.Json.Serialization;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>One step of a program's graph.</summary>
/// <param name="Id">Name of the step, unique in its program.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "action")]
[JsonDerivedType(typeof(SendEmailStep), "SEND_EMAIL")]
[JsonDerivedType(typeof(WaitStep), "WAIT")]
[JsonDerivedType(typeof(WaitTimeStep), "WAIT_TIME")]
[JsonDerivedType(typeof(WaitEventStep), "WAIT_EVENT")]
[JsonDerivedType(typeof(WaitDateStep), "WAIT_DATE")]
[JsonDerivedType(typeof(WaitEmailStep), "WAIT_EMAIL")]
[JsonDerivedType(typeof(BranchStep), "BRANCH")]
[JsonDerivedType(typeof(SplitStep), "SPLIT")]
[JsonDerivedType(typeof(UpdateTraitStep), "UPDATE_TRAIT")]
[JsonDerivedType(typeof(UpdateListStep), "UPDATE_LIST")]
[JsonDerivedType(typeof(NotifyStep), "NOTIFY")]
[JsonDerivedType(typeof(HandToSalesStep), "HAND_TO_SALES")]
[JsonDerivedType(typeof(GoalStep), "GOAL")]
[JsonDerivedType(typeof(ExitStep), "EXIT")]
public abstract record Step(string Id)
{
    /// <summary>Step that follows; null: the next one in the list, after the last the end.</summary>
    public string? Next { get; init; }

    /// <summary>Name of the action in reports.</summary>
    [JsonIgnore]
    public string Action => this switch
    {
        SendEmailStep => "SEND_EMAIL",
        WaitStep or WaitTimeStep or WaitEventStep or WaitDateStep or WaitEmailStep => "WAIT",
        BranchStep => "BRANCH",
        SplitStep => "SPLIT",
        UpdateTraitStep => "UPDATE_TRAIT",
        UpdateListStep => "UPDATE_LIST",
        NotifyStep => "NOTIFY",
        HandToSalesStep => "HAND_TO_SALES",
        GoalStep => "GOAL",
        _ => "EXIT",
    };

    /// <summary>Whether whoever comes here stays for some time in any case: what a loop needs, so that it does not turn for ever.</summary>
    [JsonIgnore]
    public bool TakesTime => this is WaitStep or WaitTimeStep or WaitEventStep;

    /// <summary>Whether a path ends here.</summary>
    [JsonIgnore]
    public bool IsEnd => this is ExitStep or GoalStep or HandToSalesStep;
}

/// <summary>Sends a mail, once per visit of the step.</summary>
public sealed record SendEmailStep(string Id, Guid EmailId) : Step(Id);

/// <summary>Waits.</summary>
/// <param name="Duration">More than nothing, at most <see cref="ProgramPath.MaxWait"/>.</param>
public sealed record WaitStep(string Id, TimeSpan Duration) : Step(Id);

/// <summary>Waits for a time of day in the lead's zone, the next one after the lead came.</summary>
/// <param name="Days">Only on these; none: any.</param>
public sealed record WaitTimeStep(string Id, TimeOnly At, IReadOnlyList<DayOfWeek> Days) : Step(Id);

/// <summary>Waits for the lead to do something.</summary>
/// <param name="EventName">Name of the activity.</param>
/// <param name="Condition">Only an activity for which it holds; null: any.</param>
/// <param name="KeyProperty">Only an activity whose property of this name is the enrollment's key; null: any.</param>
/// <param name="Timeout">Longest wait.</param>
/// <param name="TimeoutStepId">Where the way goes then; null: on, as if it had happened.</param>
public sealed record WaitEventStep(
    string Id, string EventName, string? Condition, string? KeyProperty, TimeSpan Timeout, string? TimeoutStepId) : Step(Id);

/// <summary>Waits for a date of the lead.</summary>
/// <param name="Trait">Trait that holds the date, <c>2026-03-31</c> or a time that begins so.</param>
/// <param name="OffsetDays">Days after it; negative: before it.</param>
/// <param name="At">Time of that day in the lead's zone.</param>
/// <param name="Yearly">Whether the next anniversary is meant.</param>
/// <param name="ElseStepId">Where the way goes at once when the date is unknown or past; null: on.</param>
public sealed record WaitDateStep(string Id, string Trait, int OffsetDays, TimeOnly At, bool Yearly, string? ElseStepId) : Step(Id);

/// <summary>
/// Waits for the last mail of the enrollment, or of one of its steps, to be opened or clicked by a person; it may have been before.
/// </summary>
/// <param name="IsClick">Whether a click is waited for; else an opening, which a click proves too.</param>
/// <param name="MailStepId">Step that sent the mail; null: whichever.</param>
/// <param name="Timeout">Longest wait.</param>
/// <param name="TimeoutStepId">Where the way goes then; null: on, as if it had happened.</param>
public sealed record WaitEmailStep(string Id, bool IsClick, string? MailStepId, TimeSpan Timeout, string? TimeoutStepId) : Step(Id)
{
    /// <summary>What an enrollment that stands here says that it waits for.</summary>
    [JsonIgnore]
    public string WaitsFor => IsClick ? "EMAIL_CLICK" : "EMAIL_OPEN";

    /// <summary>Whether the mail of that step is one that is waited for.</summary>
    public bool IsOf(string mailStepId) => MailStepId is null || MailStepId == mailStepId;
}

/// <summary>Goes on where the condition holds, else elsewhere.</summary>
/// <param name="ElseStepId">Null for the end of the path.</param>
public sealed record BranchStep(string Id, string Condition, string? ElseStepId) : Step(Id);

/// <summary>Sends shares of the leads different ways. The same lead always goes the same way.</summary>
/// <param name="Seed">Another seed shares them out anew.</param>
/// <param name="Ways">2 to 10, in all 100 %.</param>
public sealed record SplitStep(string Id, string Seed, IReadOnlyList<SplitWay> Ways) : Step(Id);

/// <param name="Percent">Whole percent, 1 to 99.</param>
/// <param name="StepId">Where it leads; null: on.</param>
public sealed record SplitWay(int Percent, string? StepId);

/// <summary>Sets a trait of the lead.</summary>
/// <param name="Value">Null: takes the trait away.</param>
public sealed record UpdateTraitStep(string Id, string Trait, string? Value) : Step(Id);

/// <summary>Puts the lead on a static list or takes it off.</summary>
public sealed record UpdateListStep(string Id, Guid SegmentId, bool Adds) : Step(Id);

/// <summary>Sends a signed webhook.</summary>
public sealed record NotifyStep(string Id, Guid EndpointId) : Step(Id);

/// <summary>Hands the lead to sales and ends the enrollment as converted.</summary>
/// <param name="Note">Words for the seller.</param>
public sealed record HandToSalesStep(string Id, string Note) : Step(Id);

/// <summary>The program has done its work: ends the enrollment as converted.</summary>
public sealed record GoalStep(string Id) : Step(Id);

/// <summary>Ends the enrollment as completed.</summary>
public sealed record ExitStep(string Id) : Step(Id);
