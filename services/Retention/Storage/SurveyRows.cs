namespace Lifecycle.Retention.Storage;

/// <summary>An occasion on which a survey asks a customer's lead; one row each, whatever comes of it.</summary>
public sealed class SurveyInvitationRow : TenantRow
{
    public const string Pending = "PENDING";
    public const string Invited = "INVITED";
    public const string Skipped = "SKIPPED";
    public const string Lapsed = "LAPSED";

    public required Guid Id { get; init; }

    public required Guid SurveyId { get; init; }

    public required Guid CustomerId { get; set; }

    /// <summary>The lead asked; known once invited.</summary>
    public Guid? LeadId { get; set; }

    /// <summary>E.g. <c>onboarding</c>, <c>quarter-3</c>, <c>event-…</c>; a survey has each once for a customer.</summary>
    public required string Occasion { get; init; }

    public required string State { get; set; }

    /// <summary>Why it was skipped.</summary>
    public string? Reason { get; set; }

    /// <summary>PENDING: when to look at it next.</summary>
    public DateTimeOffset? DueTime { get; set; }

    public required DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset? InviteTime { get; set; }
}

/// <summary>Keywords by which comments are sorted.</summary>
public sealed class SurveyThemeRow : TenantRow
{
    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    public required string[] Keywords { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>Somebody is to speak with an unhappy customer; one for each answer.</summary>
public sealed class SurveyTaskRow : TenantRow
{
    public const string Open = "OPEN";
    public const string Assigned = "ASSIGNED";
    public const string Done = "DONE";

    public required Guid Id { get; init; }

    public required Guid AnswerId { get; init; }

    public required Guid SurveyId { get; init; }

    public Guid? CustomerId { get; set; }

    public Guid? LeadId { get; set; }

    public required int Score { get; set; }

    public required string State { get; set; }

    public string Owner { get; set; } = "";

    public required DateTimeOffset DueTime { get; set; }

    public DateTimeOffset? DoneTime { get; set; }

    public string Note { get; set; } = "";

    public required DateTimeOffset CreateTime { get; init; }
}
