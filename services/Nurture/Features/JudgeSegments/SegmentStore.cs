using Dapper;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Caching.Memory;
using Npgsql;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>
/// The segments of a workspace, compiled. They are read anew when the workspace's revision, one small row, has moved; each condition is
/// compiled once per version. Both are kept in bounded caches.
/// </summary>
internal sealed class SegmentStore : IDisposable
{
    private readonly MemoryCache conditions = new(new MemoryCacheOptions { SizeLimit = 5000 });
    private readonly MemoryCache graphs = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    /// <summary>
    /// The segments as the transaction sees them. Read after the lead is locked: whoever builds a new segment then either sees what the
    /// transaction did, or is seen by it.
    /// </summary>
    public async Task<SegmentGraph> Graph(
        Transaction<NurtureDbContext> tx) => await Graph(tx, await tx.Connection.ExecuteScalarAsync<long?>(
        new CommandDefinition(
            "select revision from segment_revision where workspace_id = @workspace",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken)) ?? 0);

    /// <summary>
    /// Puts the reading of the revision into a batch: one row, or none. Its number goes to
    /// <see cref="Graph(Transaction{NurtureDbContext}, long)"/>.
    /// </summary>
    public static void AddRevision(NpgsqlBatch batch, Guid workspaceId) => batch.BatchCommands.Add(
        new NpgsqlBatchCommand("select revision from segment_revision where workspace_id = $1")
        {
            Parameters = { Bulk.Value(workspaceId) }
        });

    /// <summary>As above, of a revision that the transaction has read; 0 where there is none.</summary>
    public async Task<SegmentGraph> Graph(Transaction<NurtureDbContext> tx, long revision)
    {
        if (graphs.TryGetValue(tx.WorkspaceId, out (long Revision, SegmentGraph Graph) known) && known.Revision == revision)
        {
            return known.Graph;
        }

        var rows = (await tx.Connection.QueryAsync<StoredSegment>(new CommandDefinition(
            "select id, version, is_list, condition from segment where workspace_id = @workspace",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken))).AsList();
        var graph = new SegmentGraph(
            rows.Select(row => new SegmentNode(row.Id, row.IsList ? null : Compile(row.Id, row.Version, row.Condition))));
        graphs.Set(tx.WorkspaceId, (revision, graph), new MemoryCacheEntryOptions { Size = 1 + rows.Count });
        return graph;
    }

    /// <summary>Tells every process that the segments have changed; writers of segments wait for each other here.</summary>
    public static Task Changed(Transaction<NurtureDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        insert into segment_revision (workspace_id, revision) values (@workspace, 1)
        on conflict (workspace_id) do update set revision = segment_revision.revision + 1
        """,
        new { workspace = tx.WorkspaceId },
        cancellationToken: tx.CancellationToken));

    public void Dispose()
    {
        conditions.Dispose();
        graphs.Dispose();
    }

    private Condition Compile(Guid id, int version, string condition) => conditions.GetOrCreate((id, version), entry =>
    {
        entry.Size = 1;
        // Checked when the segment was written; a language that grows keeps what it understood.
        return Condition.Parse(condition, LeadFacts.SegmentCatalog).Value;
    })!;

    private sealed class StoredSegment
    {
        public Guid Id { get; init; }

        public int Version { get; init; }

        public bool IsList { get; init; }

        public string Condition { get; init; } = "";
    }
}
