using Lifecycle.Contracts;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Storage;

/// <summary>What leads scored when, for the change of scores by step.</summary>
internal static class ScoreHistory
{
    /// <summary>Keeps scores, in whatever order they come; nothing in the transaction waits for it.</summary>
    public static void Add(Transaction<NurtureDbContext> tx, IReadOnlyCollection<LeadScoreChanged> events) => Bulk.Add(
        tx.Closing,
        "score_change",
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, events, _ => tx.WorkspaceId),
            BulkColumn.From("lead_id", NpgsqlDbType.Uuid, events, e => e.LeadId),
            BulkColumn.From("time", NpgsqlDbType.TimestampTz, events, e => e.OccurredAt.ToUniversalTime()),
            BulkColumn.From("version", NpgsqlDbType.Bigint, events, e => e.Version),
            BulkColumn.From("score", NpgsqlDbType.Numeric, events, e => e.Total),
        ],
        "on conflict do nothing");
}
