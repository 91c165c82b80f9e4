using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Which segments programs go by, so that none is removed from under them.</summary>
internal static class ProgramSegments
{
    /// <summary>Keeps the path's segments from being removed until the transaction ends; those that are gone stay so.</summary>
    public static Task Hold(Transaction<NurtureDbContext> tx, ProgramPath path)
    {
        var ids = path.Steps.SelectMany(AskedBy).Concat(EnteredBy(path)).Distinct().Order().ToArray();
        return ids.Length == 0
            ? Task.CompletedTask
            : tx.Connection.ExecuteAsync(new CommandDefinition(
                "select 1 from segment where workspace_id = @workspace and id = any(@ids) order by id for key share",
                new { workspace = tx.WorkspaceId, ids },
                cancellationToken: tx.CancellationToken));
    }

    /// <summary>
    /// Why the segment cannot be removed: active programs enter by it, or programs ask for it in a branch or change it as a list, in their
    /// present version or in one by which somebody still goes. Null where it can.
    /// </summary>
    public static async Task<Error?> Use(Transaction<NurtureDbContext> tx, Guid segment)
    {
        var rows = await tx.Connection.QueryAsync<(string DisplayName, bool IsActive, string Path)>(new CommandDefinition(
            """
            select p.display_name, p.state = 'ACTIVE', p.path::text from program p
            where p.workspace_id = @workspace and p.path::text ilike @name
            union all
            select p.display_name, false, v.path::text
            from program_version v join program p on p.workspace_id = v.workspace_id and p.id = v.program_id
            where v.workspace_id = @workspace and v.version <> p.version and v.path::text ilike @name and exists (
              select 1 from enrollment e
              where e.workspace_id = @workspace and e.program_id = v.program_id and e.state = 'ACTIVE' and e.path_version = v.version)
            """,
            new { workspace = tx.WorkspaceId, name = $"%{segment}%" },
            cancellationToken: tx.CancellationToken));
        var (entering, asking) = (new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var (name, isActive, json) in rows)
        {
            var path = ProgramStore.Parse(json);
            if (path.Steps.Any(step => AskedBy(step).Contains(segment)))
            {
                asking.Add(name);
            }
            else if (isActive && EnteredBy(path).Contains(segment))
            {
                entering.Add(name);
            }
        }

        return asking.Count > 0
            ? Error.Precondition(
                $"Steps of these programs ask for the segment or change it: {string.Join(", ", asking)}. Change them first.")
            : entering.Count > 0
                ? Error.Precondition($"These active programs enter by the segment: {string.Join(", ", entering)}. Pause them first.")
                : null;
    }

    private static IEnumerable<Guid> EnteredBy(ProgramPath path) =>
        path.EntryTriggers.OfType<SegmentEnteredTrigger>().Select(trigger => trigger.SegmentId);

    private static IEnumerable<Guid> AskedBy(Step step) => step switch
    {
        BranchStep branch when Condition.Parse(branch.Condition, LeadFacts.SegmentCatalog).TryGet(out var condition, out _) =>
            condition.Segments,
        UpdateListStep list => [list.SegmentId],
        _ => [],
    };
}
