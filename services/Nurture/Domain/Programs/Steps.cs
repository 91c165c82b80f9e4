using System.Text.Json.Serialization;
using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>One step of a program's path.</summary>
/// <param name="Id">Name of the step, unique in its program.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "action")]
[JsonDerivedType(typeof(SendEmailStep), "SEND_EMAIL")]
[JsonDerivedType(typeof(WaitStep), "WAIT")]
[JsonDerivedType(typeof(BranchStep), "BRANCH")]
[JsonDerivedType(typeof(ExitStep), "EXIT")]
public abstract record Step(string Id)
{
    /// <summary>Name of the action in reports.</summary>
    [JsonIgnore]
    public string Action => this switch
    {
        SendEmailStep => "SEND_EMAIL",
        WaitStep => "WAIT",
        BranchStep => "BRANCH",
        _ => "EXIT",
    };
}

/// <summary>Sends a mail, once per enrollment.</summary>
public sealed record SendEmailStep(string Id, Guid EmailId) : Step(Id);

/// <summary>Waits.</summary>
/// <param name="Duration">More than nothing, at most <see cref="ProgramPath.MaxWait"/>.</param>
public sealed record WaitStep(string Id, TimeSpan Duration) : Step(Id);

/// <summary>Goes on with the next step where the condition holds, else jumps ahead.</summary>
/// <param name="ElseStepId">A later step, or null for the end of the path.</param>
public sealed record BranchStep(string Id, string Condition, string? ElseStepId) : Step(Id);

/// <summary>Ends the enrollment as completed.</summary>
public sealed record ExitStep(string Id) : Step(Id);

/// <summary>What makes a lead enter a program.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "trigger")]
[JsonDerivedType(typeof(LeadCapturedTrigger), "LEAD_CAPTURED")]
[JsonDerivedType(typeof(StageChangedTrigger), "STAGE_CHANGED")]
[JsonDerivedType(typeof(SegmentEnteredTrigger), "SEGMENT_ENTERED")]
[JsonDerivedType(typeof(EventTrigger), "EVENT")]
[JsonDerivedType(typeof(ManualTrigger), "MANUAL")]
public abstract record EntryTrigger
{
    /// <summary>How long ago a cause may lie by default, so that a backfill mails nobody.</summary>
    public static readonly TimeSpan DefaultMaxAge = TimeSpan.FromDays(3);

    /// <summary>Name of the trigger on an enrollment.</summary>
    [JsonIgnore]
    public string Name => this switch
    {
        LeadCapturedTrigger => "LEAD_CAPTURED",
        StageChangedTrigger => "STAGE_CHANGED",
        SegmentEnteredTrigger => "SEGMENT_ENTERED",
        EventTrigger => "EVENT",
        _ => "MANUAL",
    };

    /// <summary>Whether the cause makes a lead enter.</summary>
    public bool Matches(EntryCause cause, DateTimeOffset now) => (this, cause) switch
    {
        (LeadCapturedTrigger trigger, CapturedCause captured) =>
            (trigger.CaptureTypes.Count == 0 || trigger.CaptureTypes.Contains(captured.CaptureType))
                && now - captured.CreateTime <= trigger.MaxAge,
        (StageChangedTrigger trigger, StageCause moved) =>
            moved.To == trigger.To && (trigger.Reason is null || trigger.Reason == moved.Reason) && now - moved.Time <= trigger.MaxAge,
        (SegmentEnteredTrigger trigger, SegmentCause entered) => trigger.SegmentId == entered.SegmentId,
        (EventTrigger trigger, ActivityCause activity) => activity.Name == trigger.EventName && now - activity.Time <= trigger.MaxAge,
        (_, ManualCause) => true,
        _ => false,
    };
}

/// <param name="CaptureTypes">E.g. <c>FORM</c>; none: any.</param>
/// <param name="MaxAge">Leads captured longer ago do not enter.</param>
public sealed record LeadCapturedTrigger(IReadOnlyList<string> CaptureTypes, TimeSpan MaxAge) : EntryTrigger;

/// <param name="Reason">Only for this reason; null: any.</param>
public sealed record StageChangedTrigger(Stage To, string? Reason, TimeSpan MaxAge) : EntryTrigger;

public sealed record SegmentEnteredTrigger(Guid SegmentId) : EntryTrigger;

/// <param name="EventName">Name of the activity, e.g. <c>Cart Abandoned</c>.</param>
public sealed record EventTrigger(string EventName, TimeSpan MaxAge) : EntryTrigger;

public sealed record ManualTrigger : EntryTrigger;

/// <summary>Something that happened to a lead and may make it enter a program.</summary>
public abstract record EntryCause;

public sealed record CapturedCause(string CaptureType, DateTimeOffset CreateTime) : EntryCause;

public sealed record StageCause(Stage To, string Reason, DateTimeOffset Time) : EntryCause;

public sealed record SegmentCause(Guid SegmentId) : EntryCause;

public sealed record ActivityCause(string Name, DateTimeOffset Time) : EntryCause;

/// <summary>Enrolled by hand, which every active program allows.</summary>
public sealed record ManualCause : EntryCause;

/// <summary>Whether a lead may enter a program again.</summary>
public enum Reentry
{
    /// <summary>Once in a lifetime.</summary>
    Never = 1,

    /// <summary>Again, once the earlier enrollment has ended.</summary>
    AfterExit = 2,
}
