using Dapper;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Caching.Memory;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>A segment with its condition read.</summary>
internal sealed record CompiledSegment(Guid Id, int Version, Condition Condition);

/// <summary>Segments with their conditions, which are read once per version and kept in a bounded cache.</summary>
internal sealed class SegmentStore : IDisposable
{
    private readonly MemoryCache conditions = new(new MemoryCacheOptions { SizeLimit = 5000 });

    public async Task<IReadOnlyList<CompiledSegment>> All(Transaction<NurtureDbContext> tx)
    {
        var rows = await tx.Connection.QueryAsync<(Guid Id, int Version, string Condition)>(new CommandDefinition(
            "select id, version, condition from segment where workspace_id = @workspace",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken));
        return rows.Select(row => Compile(row.Id, row.Version, row.Condition)).ToList();
    }

    public CompiledSegment Compile(Guid id, int version, string condition) => conditions.GetOrCreate((id, version), entry =>
    {
        entry.Size = 1;
        // Checked when the segment was written; a language that grows keeps what it understood.
        return new CompiledSegment(id, version, Condition.Parse(condition, LeadFacts.Catalog).Value);
    })!;

    public void Dispose() => conditions.Dispose();
}
