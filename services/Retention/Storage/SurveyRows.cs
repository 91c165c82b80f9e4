using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.Storage;

public sealed class SurveyRow : TenantRow
{
    public required Guid Id { get; init; }

    public required SurveyType Type { get; init; }

    public required string DisplayName { get; set; }

    public required string Question { get; set; }

    public required DateTimeOffset CreateTime { get; init; }

    /// <summary>It asks by itself, on the occasions below.</summary>
    public bool Asks { get; set; }

    public int? AfterOnboardingDays { get; set; }

    public bool Quarterly { get; set; }

    /// <summary>Activity after which it asks; empty: none.</summary>
    public string SupportEvent { get; set; } = "";

    public double SampleShare { get; set; } = 1;

    public long SampleSeed { get; set; }

    public int FatigueDays { get; set; } = 30;

    /// <summary>Template of Nurture.</summary>
    public Guid? EmailId { get; set; }

    public int CloseLoopHours { get; set; } = 48;
}

public sealed class SurveyAnswerRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid SurveyId { get; init; }

    public Guid? CustomerId { get; set; }

    public Guid? LeadId { get; set; }

    public required int Score { get; set; }

    public string? Comment { get; set; }

    public required DateTimeOffset AnswerTime { get; set; }

    /// <summary>Came over a public link, of which one answer per customer counts, or one per invitation.</summary>
    public bool ByLink { get; init; }

    /// <summary>The invitation that it answers.</summary>
    public Guid? InvitationId { get; init; }

    public long Version { get; set; } = 1;
}

/// <summary>A mail to somebody who may be a customer, and whether a person opened and clicked it.</summary>
public sealed class CampaignEmailRow : TenantRow
{
    public required Guid EmailId { get; init; }

    public Guid? LeadId { get; set; }

    /// <summary>Null while only its engagement is known.</summary>
    public DateTimeOffset? SentTime { get; set; }

    public bool Opened { get; set; }

    public bool Clicked { get; set; }

    public bool Bounced { get; set; }

    /// <summary>Program that sent it; null outside programs.</summary>
    public Guid? ProgramId { get; set; }

    /// <summary>A person's first click.</summary>
    public DateTimeOffset? ClickTime { get; set; }

    public bool Replied { get; set; }
}

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
