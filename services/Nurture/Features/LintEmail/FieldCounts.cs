using Dapper;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.LintEmail;

/// <summary>How many leads have no value for a field.</summary>
internal static class FieldCounts
{
    /// <summary>Values of the suite, as SQL over lead <c>l</c>; everything else under <c>lead</c> is a trait.</summary>
    private static readonly Dictionary<string, string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["lead.id"] = "l.lead_id::text",
        ["lead.email"] = "l.email",
        ["lead.externalId"] = "l.external_id",
        ["lead.captureType"] = "l.capture_type",
        ["lead.stage"] = "l.stage",
        ["lead.channel"] = "l.channel",
        ["lead.source"] = "l.source",
        ["lead.medium"] = "l.medium",
        ["lead.campaign"] = "l.campaign",
        ["lead.score"] = "l.score::text",
        ["company.name"] = "l.company ->> 'Name'",
        ["company.domain"] = "l.company ->> 'Domain'",
        ["company.industry"] = "l.company ->> 'Industry'",
        ["company.employees"] = "l.company ->> 'Employees'",
        ["company.annualRevenue"] = "l.company ->> 'AnnualRevenue'",
        ["company.country"] = "l.company ->> 'Country'",
    };

    /// <summary>Fields that every mail (or every mail of a survey) has, and names of whole groups.</summary>
    private static readonly string[] Always = ["unsubscribeUrl", "lead", "company", "lead.traits", "survey.url", "survey.question"];

    /// <summary>Whether templates know such a field at all.</summary>
    public static bool IsKnown(string path) =>
        Always.Contains(path, StringComparer.Ordinal) || Known.ContainsKey(path) || Trait(path) is not null;

    /// <summary>Whether it can be missing.</summary>
    public static bool CanBeMissing(string path) => !Always.Contains(path, StringComparer.Ordinal);

    /// <summary>Leads that could be mailed, and for each field how many of them lack it. One pass over the newest leads.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="paths">Known fields.</param>
    /// <param name="segmentId">Only its members; null: all.</param>
    /// <param name="limit">Most leads looked at.</param>
    public static async Task<(int Counted, IReadOnlyDictionary<string, int> Without)> Count(
        Transaction<NurtureDbContext> tx, IReadOnlyList<string> paths, Guid? segmentId, int limit)
    {
        var parameters = new DynamicParameters(new { workspace = tx.WorkspaceId, segment = segmentId, limit });
        var columns = paths.Select(
            (path, index) => $"count(*) filter (where coalesce({Sql(path, index, parameters)}, '') = '') as f{index}");
        var row = (IDictionary<string, object>)await tx.Connection.QuerySingleAsync(new CommandDefinition(
            $"""
            select {string.Join(", ", columns.Prepend("count(*) as counted"))} from (
              select * from lead l where l.workspace_id = @workspace and l.merged_into is null and l.email is not null
                and (@segment::uuid is null or exists (
                  select 1 from segment_member m where m.workspace_id = l.workspace_id and m.segment_id = @segment and m.lead_id = l.lead_id))
              order by l.create_time desc nulls last limit @limit) l
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
        return (
            Convert.ToInt32(row["counted"], null),
            paths.Index().ToDictionary(path => path.Item, path => Convert.ToInt32(row[$"f{path.Index}"], null)));
    }

    private static string Sql(string path, int index, DynamicParameters parameters)
    {
        if (Known.TryGetValue(path, out var sql))
        {
            return sql;
        }

        parameters.Add($"t{index}", Trait(path));
        return $"(select t.value from jsonb_each_text(l.traits) t where lower(t.key) = lower(@t{index}) limit 1)";
    }

    private static string? Trait(string path) => path switch
    {
        _ when path.StartsWith("lead.traits.", StringComparison.OrdinalIgnoreCase) => path["lead.traits.".Length..],
        _ when path.StartsWith("lead.", StringComparison.OrdinalIgnoreCase) && path.LastIndexOf('.') == 4 => path["lead.".Length..],
        _ => null,
    };
}
