using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Scoring.Storage;

/// <summary>Brings scores over the changes that were due.</summary>
public sealed class ScoreSettler(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
{
    private const int BatchSize = 100;

    /// <summary>Scores leads of the workspace whose points began or ended by now, earliest first.</summary>
    /// <param name="workspaceId">Workspace.</param>
    /// <param name="most">About how many at most.</param>
    /// <param name="wait">Waits for leads that others have locked; else they are passed over.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The leads scored.</returns>
    public async Task<HashSet<Guid>> Settle(Guid workspaceId, int most, bool wait, CancellationToken ct)
    {
        var settled = new HashSet<Guid>();
        for (var count = BatchSize; count == BatchSize && settled.Count < most;)
        {
            count = 0;
            await work.Run(workspaceId, async tx =>
            {
                var ids = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
                    """
                    (select lead_id from lead where workspace_id = @WorkspaceId and next_time <= @Now order by next_time limit @BatchSize)
                    union
                    (select lead_id from score where workspace_id = @WorkspaceId and next_time <= @Now order by next_time limit @BatchSize)
                    limit @BatchSize
                    """,
                    new { tx.WorkspaceId, tx.Now, BatchSize },
                    cancellationToken: ct))).AsList();
                if (ids.Count == 0)
                {
                    return;
                }

                var rows = await LeadStore.Select(
                    tx, $"lead_id = any(@ids) order by lead_id for update{(wait ? "" : " skip locked")}", new { ids });
                await keeper.Score(tx, rows, row => row.NextTime <= tx.Now ? row.NextTime.Value : tx.Now, factsChanged: false);
                count = rows.Count;
                settled.UnionWith(rows.Select(row => row.LeadId));
            }, ct);
        }

        return settled;
    }
}
