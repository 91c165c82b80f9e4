using Dapper;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Scoring.Storage;

/// <summary>Scores besides <c>default</c>.</summary>
internal static class ScoreStore
{
    /// <summary>Rows of leads whose locks are held.</summary>
    public static async Task<Dictionary<(Guid LeadId, string ScoreName), ScoreRow>> Read(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<Guid> leadIds) =>
        (await tx.Connection.QueryAsync<ScoreRow>(new CommandDefinition(
            """
            select workspace_id, score_name, lead_id, model_version, state, next_time, version, change_time from score
            where workspace_id = @WorkspaceId and lead_id = any(@ids)
            """,
            new { tx.WorkspaceId, ids = leadIds.ToArray() },
            cancellationToken: tx.CancellationToken))).ToDictionary(row => (row.LeadId, row.ScoreName));

    /// <summary>Writes rows, new or not, at the transaction's end.</summary>
    public static void Save(Transaction<ScoringDbContext> tx, IReadOnlyCollection<ScoreRow> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        tx.Close(
            """
            insert into score (workspace_id, change_time, change_xid, score_name, lead_id, model_version, state, next_time, version)
            select $1, $2, pg_current_xact_id()::text::bigint, n.* from unnest($3, $4, $5, $6, $7, $8) n
            on conflict (workspace_id, score_name, lead_id) do update set
                model_version = excluded.model_version, state = excluded.state, next_time = excluded.next_time, version = excluded.version,
                change_time = excluded.change_time,
                change_xid = case when score.version = excluded.version then score.change_xid else excluded.change_xid end
            """,
            Bulk.Value(tx.Now.UtcDateTime),
            Column.Of(NpgsqlDbType.Text, rows, row => row.ScoreName),
            Column.Of(NpgsqlDbType.Uuid, rows, row => row.LeadId),
            Column.Of(NpgsqlDbType.Integer, rows, row => row.ModelVersion),
            Column.Of(NpgsqlDbType.Jsonb, rows, row => row.State),
            Column.Of(NpgsqlDbType.TimestampTz, rows, row => row.NextTime?.UtcDateTime),
            Column.Of(NpgsqlDbType.Bigint, rows, row => row.Version));
    }
}
