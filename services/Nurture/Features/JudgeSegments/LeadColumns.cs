using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>Columns of a lead that conditions read: a page of leads carries nothing else.</summary>
internal static class LeadColumns
{
    private static readonly Dictionary<string, string> Columns = new()
    {
        ["lead.email"] = "email",
        ["lead.emailDomain"] = "email",
        ["lead.externalId"] = "external_id",
        ["lead.captureType"] = "capture_type",
        ["lead.formType"] = "form_type",
        ["lead.stage"] = "stage",
        ["lead.returnReason"] = "return_reason",
        ["lead.channel"] = "channel",
        ["lead.source"] = "source",
        ["lead.medium"] = "medium",
        ["lead.campaign"] = "campaign",
        ["lead.keyword"] = "keyword",
        ["lead.landingPage"] = "landing_page",
        ["score.total"] = "score",
        ["score.grade"] = "grade",
        ["score.band"] = "band",
    };

    /// <summary>Columns of the conditions' fields, always with the lead's id and the time from which it is known.</summary>
    public static string For(IEnumerable<Condition> conditions) => string.Join(
        ", ", conditions.SelectMany(FieldsOf).Select(Of).Concat(["lead_id", "create_time"]).Distinct().Order(StringComparer.Ordinal));

    /// <summary>Names of the lead's fields that a condition reads, inside counts too.</summary>
    public static IEnumerable<string> FieldsOf(Condition condition) =>
        condition.Fields.Concat(condition.Tallies.SelectMany(tally => tally.Condition?.Fields ?? new HashSet<Field>()))
            .Concat(SegmentReads.ZoneFields(condition)).Where(field => !SegmentReads.IsOfActivity(field)).Select(field => field.Name);

    /// <summary>What has no column of its own is a trait.</summary>
    public static string Of(string field) => Columns.TryGetValue(field, out var column)
        ? column
        : field switch
        {
            "lead.id" => "lead_id",
            "lead.createTime" => "create_time",
            _ when field.StartsWith("company.", StringComparison.Ordinal) => "company",
            _ when field.StartsWith("lead.lastTouch.", StringComparison.Ordinal) => "last_touch",
            _ => "traits",
        };
}
