using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Scoring.Storage;

/// <summary>Scores besides <c>default</c>.</summary>
internal static class ScoreStore
{
    /// <summary>Rows of leads whose locks are held.</summary>
    public static async Task<Dictionary<(Guid LeadId, string ScoreName), ScoreRow>> Read(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<Guid> leadIds) =>
        (await tx.Connection.QueryAsync<ScoreRow>(new CommandDefinition(
            """
            select workspace_id, score_name, lead_id, model_version, state, next_time, version, live_version, change_time from score
            where workspace_id = @WorkspaceId and lead_id = any(@ids)
            """,
            new { tx.WorkspaceId, ids = leadIds.ToArray() },
            cancellationToken: tx.CancellationToken))).ToDictionary(row => (row.LeadId, row.ScoreName));

    /// <summary>Writes rows, new or not.</summary>
    public static async Task Save(Transaction<ScoringDbContext> tx, IReadOnlyCollection<ScoreRow> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into score
                (workspace_id, score_name, lead_id, model_version, state, next_time, version, live_version, change_time, change_xid)
            select @WorkspaceId, n.*, 0, @Now, pg_current_xact_id()::text::bigint
            from unnest(@names, @leads, @models, @states::jsonb[], @nexts, @versions) n
            on conflict (workspace_id, score_name, lead_id) do update set
                model_version = excluded.model_version, state = excluded.state, next_time = excluded.next_time, version = excluded.version,
                change_time = excluded.change_time,
                change_xid = case when score.version = excluded.version then score.change_xid else excluded.change_xid end
            """,
            new
            {
                tx.WorkspaceId,
                tx.Now,
                names = rows.Select(row => row.ScoreName).ToArray(),
                leads = rows.Select(row => row.LeadId).ToArray(),
                models = rows.Select(row => row.ModelVersion).ToArray(),
                states = rows.Select(row => row.State).ToArray(),
                nexts = rows.Select(row => row.NextTime?.ToUniversalTime()).ToArray(),
                versions = rows.Select(row => row.Version).ToArray(),
            },
            cancellationToken: tx.CancellationToken));
    }
}
