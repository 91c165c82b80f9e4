namespace Lifecycle.Nurture.Storage;

/// <summary>A segment and how far its existing leads have been judged.</summary>
public sealed class SegmentRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    /// <summary>Whether its members are named one by one; the condition is then empty.</summary>
    public bool IsList { get; init; }

    public required string Condition { get; set; }

    /// <summary>Grows with each change of the condition.</summary>
    public required int Version { get; set; }

    /// <summary>Version by which every existing lead has been judged.</summary>
    public int EvaluatedVersion { get; set; }

    /// <summary>Last lead judged by the present version; null before the first.</summary>
    public Guid? EvaluatedLead { get; set; }

    /// <summary>Leads judged by the present version so far, while not all are.</summary>
    public long JudgedLeads { get; set; }

    public required DateTimeOffset CreateTime { get; init; }

    public required DateTimeOffset UpdateTime { get; set; }
}

public sealed class SegmentMemberRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid SegmentId { get; init; }

    public required Guid LeadId { get; init; }

    public required DateTimeOffset EnterTime { get; init; }
}

/// <summary>Counts the changes of a workspace's segments, so that what was compiled of them is known to be current.</summary>
public sealed class SegmentRevisionRow
{
    public required Guid WorkspaceId { get; init; }

    public required long Revision { get; set; }
}

/// <summary>When time alone may change whether a lead is in a segment. It may come too early, never too late.</summary>
public sealed class SegmentTimerRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid SegmentId { get; init; }

    public required Guid LeadId { get; init; }

    public required DateTimeOffset DueTime { get; init; }
}

/// <summary>Something a lead did, for the counts of segments.</summary>
public sealed class ActivityRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    /// <summary>The activity's id, by which it counts once.</summary>
    public required Guid Id { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required string Type { get; init; }

    public required string Name { get; init; }

    public Guid? SessionId { get; init; }

    public string? Url { get; init; }

    /// <summary>JSON object; null where empty.</summary>
    public string? Properties { get; init; }
}

/// <summary>A program; <see cref="Path"/> is the JSON of <see cref="Domain.Programs.ProgramPath"/>.</summary>
public sealed class ProgramRow
{
    public const string Draft = "DRAFT";
    public const string Active = "ACTIVE";
    public const string Paused = "PAUSED";

    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    public required string State { get; set; }

    public required string Path { get; set; }

    /// <summary>Grows with each change of the path.</summary>
    public required int Version { get; set; }

    public required DateTimeOffset CreateTime { get; init; }

    public required DateTimeOffset UpdateTime { get; set; }
}

/// <summary>A program as of one version; never changed. Enrollments go by the version by which they entered.</summary>
public sealed class ProgramVersionRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid ProgramId { get; init; }

    public required int Version { get; init; }

    public required string Path { get; init; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>A lead in a program. <see cref="DueTime"/> is the durable timer; null once the enrollment has ended.</summary>
public sealed class EnrollmentRow
{
    public const string Active = "ACTIVE";
    public const string Completed = "COMPLETED";
    public const string Exited = "EXITED";
    public const string Converted = "CONVERTED";

    /// <summary>In the program's control group: it never enters the path.</summary>
    public const string HeldOut = "HELD_OUT";

    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required Guid ProgramId { get; init; }

    public required Guid LeadId { get; set; }

    public required int Occurrence { get; set; }

    public required string State { get; set; }

    /// <summary>Tells it apart from the lead's other enrollments in a program with re-entry per key; else empty.</summary>
    public string Key { get; set; } = "";

    /// <summary>Version of the program by which it goes; 0: the present one, whichever that is.</summary>
    public int PathVersion { get; set; }

    public string? StepId { get; set; }

    /// <summary>Steps it came to before the present one.</summary>
    public int Visit { get; set; }

    /// <summary>When it came to the present step.</summary>
    public DateTimeOffset? StepTime { get; set; }

    public DateTimeOffset? DueTime { get; set; }

    /// <summary>Event that it waits for.</summary>
    public string? WaitsFor { get; set; }

    /// <summary>When that happened; the step is due then.</summary>
    public DateTimeOffset? EventTime { get; set; }

    /// <summary>Why its step failed and is tried again at <see cref="DueTime"/>.</summary>
    public string? Fault { get; set; }

    /// <summary>Failures in a row.</summary>
    public int Attempts { get; set; }

    /// <summary>Its program is paused: the timer stands still, and the queue does not have to pass over it.</summary>
    public bool Held { get; set; }

    /// <summary>Version of the last event about this enrollment.</summary>
    public long Version { get; set; }

    public required string Trigger { get; init; }

    public string? ExitReason { get; set; }

    public required DateTimeOffset EnterTime { get; init; }

    public DateTimeOffset? EndTime { get; set; }
}

/// <summary>An enrollment that the watchdog found standing still: its step is over, and nobody moves it.</summary>
public sealed class StallRow
{
    public const string NotTaken = "NOT_TAKEN";
    public const string WorkerHangs = "WORKER_HANGS";

    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required Guid EnrollmentId { get; init; }

    public required Guid ProgramId { get; init; }

    public required string StepId { get; init; }

    public required int Visit { get; init; }

    public required string Reason { get; init; }

    /// <summary>When the step was over.</summary>
    public required DateTimeOffset DueTime { get; init; }

    public required DateTimeOffset FindTime { get; init; }

    /// <summary>How often the watchdog has taken it on.</summary>
    public int Tries { get; init; }

    /// <summary>When it does so next.</summary>
    public required DateTimeOffset NextTime { get; init; }

    /// <summary>When it was seen to have gone on, or left; null while it stands still.</summary>
    public DateTimeOffset? EndTime { get; init; }
}

/// <summary>A lead that a file brought into a program, and whose profile has not come yet.</summary>
public sealed class PendingEntryRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public required Guid ProgramId { get; init; }

    /// <summary>Key of the enrollment, for a program with re-entry per key; else empty.</summary>
    public required string Key { get; init; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>One enrollment at one step.</summary>
public sealed class StepVisitRow
{
    public const string Completed = "COMPLETED";
    public const string Dropped = "DROPPED";
    public const string Converted = "CONVERTED";

    public required Guid WorkspaceId { get; init; }

    public required Guid EnrollmentId { get; init; }

    public required string StepId { get; init; }

    /// <summary>Steps that the enrollment came to before: tells the visits of a loop apart.</summary>
    public int Visit { get; init; }

    public required Guid ProgramId { get; init; }

    public required DateTimeOffset EnterTime { get; init; }

    public DateTimeOffset? LeaveTime { get; set; }

    /// <summary>Null while the lead is there.</summary>
    public string? Outcome { get; set; }
}
