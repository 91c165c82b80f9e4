namespace Lifecycle.Nurture.Storage;

/// <summary>A template.</summary>
public sealed class EmailRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    public required string Subject { get; set; }

    public required string Html { get; set; }

    public required string Text { get; set; }

    public required string FromName { get; set; }

    public required string FromAddress { get; set; }

    public required string ReplyTo { get; set; }

    /// <summary>Grows with each change.</summary>
    public required int Version { get; set; }

    public required DateTimeOffset CreateTime { get; init; }

    public required DateTimeOffset UpdateTime { get; set; }
}

/// <summary>
/// One mail to one lead. A program's mail is unique by enrollment, step and visit, which is (program, lead, occurrence) and step: however
/// often an advance is repeated, there is one row, and one Message-ID made of its id.
/// </summary>
public sealed class MessageRow
{
    public const string Pending = "PENDING";
    public const string Sending = "SENDING";
    public const string Sent = "SENT";
    public const string Bounced = "BOUNCED";
    public const string Failed = "FAILED";
    public const string Skipped = "SKIPPED";

    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required Guid LeadId { get; set; }

    public Guid? EnrollmentId { get; init; }

    public Guid? ProgramId { get; init; }

    public string? StepId { get; init; }

    /// <summary>Which visit of the step, in a path with loops; see <see cref="StepVisitRow.Visit"/>.</summary>
    public int Visit { get; init; }

    /// <summary>Template.</summary>
    public Guid? EmailId { get; init; }

    /// <summary>Id in another system's events; null for our own mail.</summary>
    public string? ExternalId { get; init; }

    public required string State { get; set; }

    /// <summary>Why, for states that need a reason.</summary>
    public string? Detail { get; set; }

    /// <summary>PENDING: when to try next. SENDING: when another worker may take it over. Else null.</summary>
    public DateTimeOffset? DueTime { get; set; }

    /// <summary>Its turn under the pace of its domain; null: none taken yet.</summary>
    public DateTimeOffset? SlotTime { get; set; }

    public int Attempts { get; set; }

    /// <summary>The event that asked for it; null for a program's mail.</summary>
    public Guid? RequestId { get; init; }

    /// <summary>What the event gave for it, JSON of <see cref="Domain.Emails.RequestedContent"/>.</summary>
    public string? Content { get; set; }

    public string? ToAddress { get; set; }

    public string? Subject { get; set; }

    /// <summary>Targets of the links, by index.</summary>
    public string[] Links { get; set; } = [];

    public required DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset? SendTime { get; set; }

    /// <summary>Our own mail counts as delivered once the mail server took it.</summary>
    public DateTimeOffset? DeliverTime { get; set; }

    public DateTimeOffset? BounceTime { get; set; }

    /// <summary>When the person reported it as spam.</summary>
    public DateTimeOffset? ComplainTime { get; set; }

    /// <summary>First by a person; as the following two.</summary>
    public DateTimeOffset? OpenTime { get; set; }

    public DateTimeOffset? ClickTime { get; set; }

    public DateTimeOffset? UnsubscribeTime { get; set; }

    /// <summary>Version of the last event about this mail.</summary>
    public long Version { get; set; }
}

/// <summary>Something that happened to a mail.</summary>
public sealed class EngagementRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required Guid MessageId { get; init; }

    public required string Kind { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required string Method { get; init; }

    public string? UserAgent { get; set; }

    /// <summary>Hash of the client's address and the mail: tells clients of one mail apart and nobody anything else.</summary>
    public string? Client { get; set; }

    public int? LinkIndex { get; init; }

    public string? Url { get; set; }

    public bool Honeypot { get; init; }

    /// <summary>When to judge it; null once judged.</summary>
    public DateTimeOffset? DueTime { get; set; }

    public string? Classification { get; set; }

    public string? Reason { get; set; }
}

/// <summary>
/// An address that gets no mail. The hash outlives the address, so that an erased person is not mailed after the next import.
/// </summary>
public sealed class SuppressionRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required byte[] EmailHash { get; init; }

    public string? Email { get; set; }

    public required string Reason { get; init; }

    public required DateTimeOffset CreateTime { get; init; }
}
