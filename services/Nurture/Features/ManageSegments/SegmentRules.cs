using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.ManagePrograms;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>What a segment must keep to, beside the form of its condition.</summary>
internal static class SegmentRules
{
    public static void CheckCondition(Violations violations, string condition)
    {
        foreach (var violation in Condition.Parse(condition, LeadFacts.SegmentCatalog).Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }
    }

    /// <summary>
    /// Whether every segment that the condition asks for is there, and none asks back. The caller has called
    /// <see cref="JudgeSegments.SegmentStore.Changed"/>: no other segment changes meanwhile.
    /// </summary>
    public static async Task<Error?> CheckReferences(Transaction<NurtureDbContext> tx, Guid id, string displayName, string condition)
    {
        var asked = Condition.Parse(condition, LeadFacts.SegmentCatalog).Value.Segments;
        if (asked.Count == 0)
        {
            return null;
        }

        var rows = (await tx.Connection.QueryAsync<(Guid Id, string DisplayName, string Condition)>(new CommandDefinition(
            "select id, display_name, condition from segment where workspace_id = @workspace",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken))).ToDictionary(row => row.Id);
        if (asked.Where(other => other != id && !rows.ContainsKey(other)).ToList() is { Count: > 0 } unknown)
        {
            return Error.Invalid("condition", $"condition asks for segments that are not there: {string.Join(", ", unknown)}.");
        }

        var way = SegmentGraph.Cycle(id, at => at == id
            ? asked
            : Condition.Parse(rows[at].Condition, LeadFacts.SegmentCatalog).TryGet(out var parsed, out _) ? parsed.Segments
            : new HashSet<Guid>());
        return way is null
            ? null
            : Error.Invalid(
                "condition",
                $"The segment would ask for itself: {string.Join(" → ", way.Select(at => at == id ? displayName : rows[at].DisplayName))}.");
    }

    /// <summary>Why the segment cannot be removed; null where it can.</summary>
    public static async Task<Error?> CheckUnused(Transaction<NurtureDbContext> tx, Guid id)
    {
        if (await ProgramSegments.Use(tx, id) is { } used)
        {
            return used;
        }

        var asking = await tx.Db.Segments.Where(segment => segment.WorkspaceId == tx.WorkspaceId && segment.Id != id && !segment.IsList)
            .ToListAsync(tx.CancellationToken);
        return asking.Find(segment => Condition.Parse(segment.Condition, LeadFacts.SegmentCatalog).TryGet(out var parsed, out _)
            && parsed.Segments.Contains(id)) is { } other
            ? Error.Precondition($"The segment {other.DisplayName} asks for this one; change it first.")
            : null;
    }

    /// <summary>NOT_FOUND for no segment, FAILED_PRECONDITION for one with a condition.</summary>
    public static async Task<Result<bool>> RequireList(Transaction<NurtureDbContext> tx, Guid id) =>
        await tx.Connection.ExecuteScalarAsync<bool?>(new CommandDefinition(
            "select is_list from segment where workspace_id = @workspace and id = @id",
            new { workspace = tx.WorkspaceId, id },
            cancellationToken: tx.CancellationToken)) switch
        {
            null => Error.NotFound("Segment", id),
            false =>
                Error.Precondition("The segment has a condition, which alone says who is in it; only the members of a list are named."),
            true => true,
        };
}
