using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Storage;

/// <summary>Points that people gave by hand.</summary>
internal static class AdjustmentStore
{
    private const string Columns =
        """
        workspace_id, adjustment_id, lead_id, score_name, category, points, reason, actor, create_time, half_life_seconds, expire_seconds,
        undo_time, undo_actor
        """;

    /// <summary>Adjustments of leads, by lead and score.</summary>
    public static async Task<ILookup<(Guid LeadId, string ScoreName), Adjustment>> Read(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows)
    {
        var adjusted = rows.Where(row => row.Adjustments > 0).Select(row => row.LeadId).ToArray();
        var found = adjusted.Length == 0 ? [] : await Select(tx, "lead_id = any(@adjusted)", new { adjusted });
        return found.ToLookup(row => (row.LeadId, row.ScoreName), row => new Adjustment(
            row.AdjustmentId, row.Category, row.Points, row.CreateTime, Span(row.HalfLifeSeconds), Span(row.ExpireSeconds), row.UndoTime,
            row.Reason));
    }

    /// <summary>Rows by condition on the table <c>adjustment</c>, of the workspace.</summary>
    public static async Task<List<AdjustmentRow>> Select(Transaction<ScoringDbContext> tx, string where, object parameters)
    {
        var all = new DynamicParameters(parameters);
        all.Add("WorkspaceId", tx.WorkspaceId);
        return (await tx.Connection.QueryAsync<AdjustmentRow>(new CommandDefinition(
            $"select {Columns} from adjustment where workspace_id = @WorkspaceId and {where}", all,
            cancellationToken: tx.CancellationToken))).AsList();
    }

    public static Task Add(Transaction<ScoringDbContext> tx, AdjustmentRow row) => tx.Connection.ExecuteAsync(new CommandDefinition(
        $"""
        insert into adjustment ({Columns}) values (@WorkspaceId, @AdjustmentId, @LeadId, @ScoreName, @Category, @Points, @Reason, @Actor,
            @CreateTime, @HalfLifeSeconds, @ExpireSeconds, @UndoTime, @UndoActor)
        """,
        new
        {
            tx.WorkspaceId,
            row.AdjustmentId,
            row.LeadId,
            row.ScoreName,
            Category = (short)row.Category,
            row.Points,
            row.Reason,
            row.Actor,
            row.CreateTime,
            row.HalfLifeSeconds,
            row.ExpireSeconds,
            row.UndoTime,
            row.UndoActor,
        },
        cancellationToken: tx.CancellationToken));

    /// <summary>Takes an adjustment back, unless somebody did.</summary>
    public static Task Undo(Transaction<ScoringDbContext> tx, Guid id, string actor) => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        update adjustment set undo_time = greatest(@Now, create_time), undo_actor = @actor
        where workspace_id = @WorkspaceId and adjustment_id = @id and undo_time is null
        """,
        new { tx.WorkspaceId, id, tx.Now, actor },
        cancellationToken: tx.CancellationToken));

    private static TimeSpan? Span(double? seconds) => seconds is { } known ? TimeSpan.FromSeconds(known) : null;
}
