using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Npgsql;

namespace Lifecycle.Nurture.Storage;

/// <summary>What leads scored when, for the change of scores by step.</summary>
internal static class ScoreHistory
{
    /// <summary>Keeps a score, in whatever order scores come; nothing in the transaction waits for it.</summary>
    public static void Add(Transaction<NurtureDbContext> tx, LeadScoreChanged e) => tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
        "insert into score_change (workspace_id, lead_id, time, version, score) values ($1, $2, $3, $4, $5) on conflict do nothing")
    {
        Parameters =
        {
            Bulk.Value(tx.WorkspaceId), Bulk.Value(e.LeadId), Bulk.Value(e.OccurredAt.UtcDateTime), Bulk.Value(e.Version), Bulk.Value(e.Total),
        },
    });
}
