namespace Lifecycle.Nurture.Storage;

/// <summary>
/// What a step asks of another service. Written with the advance, called until it is answered; the row's id is the call's request id, so
/// that a call repeated after a crash does nothing twice.
/// </summary>
public sealed class ProgramCallRow
{
    public const string UpdateTrait = "UPDATE_TRAIT";
    public const string HandToSales = "HAND_TO_SALES";

    public const string Pending = "PENDING";
    public const string Done = "DONE";
    public const string Refused = "REFUSED";
    public const string Cancelled = "CANCELLED";

    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string Kind { get; init; }

    public required Guid LeadId { get; set; }

    public required Guid ProgramId { get; init; }

    public required Guid EnrollmentId { get; init; }

    public required string StepId { get; init; }

    /// <summary>Trait to set.</summary>
    public string? Trait { get; set; }

    /// <summary>The trait's value, or the note for sales.</summary>
    public string? Value { get; set; }

    public string State { get; set; } = Pending;

    /// <summary>Why it was refused, or not answered yet.</summary>
    public string? Detail { get; set; }

    public int Attempts { get; set; }

    /// <summary>When it is tried next; null when it is not.</summary>
    public DateTimeOffset? DueTime { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>Where notify steps send their webhooks.</summary>
public sealed class NotifyEndpointRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    public required string Url { get; set; }

    /// <summary>The signing secret in the box.</summary>
    public required string Secret { get; set; }

    public bool Enabled { get; set; } = true;

    /// <summary>Why it was switched off by itself.</summary>
    public string? DisableReason { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>When the programs of the workspace may mail a lead; none: at any time.</summary>
public sealed class SendingPolicyRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>JSON of <see cref="Domain.Programs.SendingPolicy"/>.</summary>
    public required string Policy { get; set; }

    public required DateTimeOffset UpdateTime { get; set; }
}
