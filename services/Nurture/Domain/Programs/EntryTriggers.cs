using System.Text.Json.Serialization;
using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>What makes a lead enter a program.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "trigger")]
[JsonDerivedType(typeof(LeadCapturedTrigger), "LEAD_CAPTURED")]
[JsonDerivedType(typeof(StageChangedTrigger), "STAGE_CHANGED")]
[JsonDerivedType(typeof(SegmentEnteredTrigger), "SEGMENT_ENTERED")]
[JsonDerivedType(typeof(EventTrigger), "EVENT")]
[JsonDerivedType(typeof(FormTrigger), "FORM")]
[JsonDerivedType(typeof(ScoreTrigger), "SCORE")]
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
        FormTrigger => "FORM",
        ScoreTrigger => "SCORE",
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
        (EventTrigger trigger, ActivityCause did) =>
            did.Activity.Name == trigger.EventName && now - did.Activity.Time <= trigger.MaxAge,
        (FormTrigger trigger, ActivityCause { Activity.Type: "FORM" } did) =>
            now - did.Activity.Time <= trigger.MaxAge && Fits(trigger.FormType, did.Activity.Text("formType"))
                && Fits(trigger.FormId, did.Activity.Text("formId")),
        (ScoreTrigger trigger, ScoreCause scored) => trigger.IsReached(scored.After, scored.BandAfter)
            && !trigger.IsReached(scored.Before, scored.BandBefore),
        (_, ManualCause) => true,
        _ => false,
    };

    private static bool Fits(string? wanted, string? found) => wanted is null || wanted.Equals(found, StringComparison.OrdinalIgnoreCase);
}

/// <param name="CaptureTypes">E.g. <c>FORM</c>; none: any.</param>
/// <param name="MaxAge">Leads captured longer ago do not enter.</param>
public sealed record LeadCapturedTrigger(IReadOnlyList<string> CaptureTypes, TimeSpan MaxAge) : EntryTrigger;

/// <param name="Reason">Only for this reason; null: any.</param>
public sealed record StageChangedTrigger(Stage To, string? Reason, TimeSpan MaxAge) : EntryTrigger;

public sealed record SegmentEnteredTrigger(Guid SegmentId) : EntryTrigger;

/// <param name="EventName">Name of the activity, e.g. <c>Cart Abandoned</c>.</param>
public sealed record EventTrigger(string EventName, TimeSpan MaxAge) : EntryTrigger
{
    /// <summary>Only an activity for which it holds; null: any.</summary>
    public string? Condition { get; init; }
}

/// <param name="FormType">Property <c>formType</c>; null: any.</param>
/// <param name="FormId">Property <c>formId</c>; null: any.</param>
public sealed record FormTrigger(string? FormType, string? FormId, TimeSpan MaxAge) : EntryTrigger;

/// <param name="Min">The total came to this or more; null: any.</param>
/// <param name="Band">The band became this; null: any.</param>
public sealed record ScoreTrigger(decimal? Min, string? Band) : EntryTrigger
{
    /// <summary>Whether a score is where the trigger wants it.</summary>
    public bool IsReached(decimal? total, string? band) =>
        total is { } known && (Min is null || known >= Min) && (Band is null || Band.Equals(band, StringComparison.OrdinalIgnoreCase));
}

public sealed record ManualTrigger : EntryTrigger;

/// <summary>Something that happened to a lead and may make it enter a program.</summary>
public abstract record EntryCause;

public sealed record CapturedCause(string CaptureType, DateTimeOffset CreateTime) : EntryCause;

public sealed record StageCause(Stage To, string Reason, DateTimeOffset Time) : EntryCause;

public sealed record SegmentCause(Guid SegmentId) : EntryCause;

public sealed record ActivityCause(ActivityFacts Activity) : EntryCause;

/// <summary>Enrolled by hand, which every active program allows.</summary>
/// <param name="Before">Total before; null: there was none.</param>
public sealed record ScoreCause(decimal? Before, string? BandBefore, decimal After, string BandAfter) : EntryCause;

/// <param name="Key">Key of the enrollment, for a program with re-entry per key.</param>
public sealed record ManualCause(string Key = "") : EntryCause;

/// <summary>Whether a lead may enter a program again.</summary>
public enum Reentry
{
    /// <summary>Once in a lifetime.</summary>
    Never = 1,

    /// <summary>Again, once the earlier enrollment has ended.</summary>
    AfterExit = 2,

    /// <summary>Once for each key, such as a cart; different keys may run side by side.</summary>
    PerKey = 3,
}
