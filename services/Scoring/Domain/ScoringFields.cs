using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>The fields that scoring rules may read.</summary>
public static class ScoringFields
{
    /// <summary>Of one activity.</summary>
    public static readonly FieldCatalog OfActivity = new(
        new Dictionary<string, FieldType>
        {
            ["activity.type"] = FieldType.Text,
            ["activity.name"] = FieldType.Text,
            ["activity.url"] = FieldType.Text,
            ["activity.path"] = FieldType.Text,
            ["activity.sessionId"] = FieldType.Text,
            ["activity.time"] = FieldType.Time,
            ["email.kind"] = FieldType.Text,
        },
        new Dictionary<string, FieldType> { ["activity.properties"] = FieldType.Any });

    /// <summary>Of the lead and its company. Channel, source, medium, campaign and keyword are those of the first touch.</summary>
    public static readonly FieldCatalog OfProfile = new(
        new Dictionary<string, FieldType>
        {
            ["lead.title"] = FieldType.Text,
            ["lead.department"] = FieldType.Text,
            ["lead.seniority"] = FieldType.Text,
            ["lead.email"] = FieldType.Email,
            ["lead.emailDomain"] = FieldType.Domain,
            ["lead.captureType"] = FieldType.Text,
            ["lead.formType"] = FieldType.Text,
            ["lead.createTime"] = FieldType.Time,
            ["lead.channel"] = FieldType.Text,
            ["lead.source"] = FieldType.Text,
            ["lead.medium"] = FieldType.Text,
            ["lead.campaign"] = FieldType.Text,
            ["lead.keyword"] = FieldType.Text,
            ["lead.landingPage"] = FieldType.Text,
            ["company.name"] = FieldType.Text,
            ["company.domain"] = FieldType.Domain,
            ["company.industry"] = FieldType.Text,
            ["company.country"] = FieldType.Text,
            ["company.employees"] = FieldType.Number,
            ["company.annualRevenue"] = FieldType.Number,
        },
        new Dictionary<string, FieldType> { ["lead.traits"] = FieldType.Any });

    /// <summary>Both.</summary>
    public static readonly FieldCatalog All = new FieldCatalog(
        new Dictionary<string, FieldType>(), new Dictionary<string, FieldType>())
    { CountsActivities = true }.With(OfProfile).With(OfActivity);

    /// <summary>Whether the field is one of an activity; a rule that reads none is asked of the profile alone.</summary>
    public static bool IsOfActivity(Field field) =>
        field.Name.StartsWith("activity.", StringComparison.Ordinal) || field.Name.StartsWith("email.", StringComparison.Ordinal);
}
