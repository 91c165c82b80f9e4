using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Storage;

/// <summary>A run of the rules over the history, as it stands.</summary>
internal sealed record StoredReclassification
{
    public const string Sessions = "SESSIONS";
    public const string Leads = "LEADS";
    public const string Spend = "SPEND";
    public const string Done = "DONE";

    public Guid Id { get; init; }

    public required string Rules { get; init; }

    public required string Part { get; init; }

    public DateTimeOffset? CursorTime { get; init; }

    public Guid? CursorId { get; init; }

    public long Total { get; init; }

    public long Processed { get; init; }

    public long ChangedSessions { get; init; }

    public long ChangedLeads { get; init; }

    public long ChangedSpend { get; init; }

    public DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset? FinishTime { get; init; }

    public required string Actor { get; init; }

    /// <summary>After a batch of rows of the current part, the last of which is given.</summary>
    public StoredReclassification After(int rows, DateTimeOffset time, Guid id) => this with
    {
        CursorTime = time,
        CursorId = id,
        Processed = Processed + rows,
        Total = Math.Max(Total, Processed + rows),
    };

    /// <summary>At the beginning of a part.</summary>
    public StoredReclassification At(string part) => this with { Part = part, CursorTime = null, CursorId = null };
}

/// <summary>Keeps the latest run of each workspace.</summary>
internal static class ReclassificationStore
{
    private const string Columns =
        "id, rules, part, cursor_time, cursor_id, total, processed, changed_sessions, changed_leads, changed_spend, create_time, finish_time, actor";

    public static Task<StoredReclassification?> Find(Transaction<CaptureDbContext> tx) =>
        tx.Connection.QuerySingleOrDefaultAsync<StoredReclassification?>(
            $"select {Columns} from reclassification where workspace_id = @workspace", new { workspace = tx.WorkspaceId });

    /// <summary>The run, if it is not done and no other replica is at it; kept from others until the transaction ends.</summary>
    public static Task<StoredReclassification?> Take(Transaction<CaptureDbContext> tx) =>
        tx.Connection.QuerySingleOrDefaultAsync<StoredReclassification?>(
            $"select {Columns} from reclassification where workspace_id = @workspace and part <> 'DONE' for update skip locked",
            new { workspace = tx.WorkspaceId });

    /// <summary>Rows that a run by these rules has to look at.</summary>
    public static Task<long> Count(Transaction<CaptureDbContext> tx, string rules) => tx.Connection.QuerySingleAsync<long>(
        """
        select (select count(*) from session where workspace_id = @workspace and channel_rules is distinct from @rules)
          + (select count(*) from lead where workspace_id = @workspace and told_touch is not null)
          + (select count(*) from spend where workspace_id = @workspace)
        """,
        new { workspace = tx.WorkspaceId, rules });

    public static Task Save(Transaction<CaptureDbContext> tx, StoredReclassification run) => tx.Connection.ExecuteAsync(
        $"""
        insert into reclassification (workspace_id, update_time, {Columns})
        values (@workspace, @now, @Id, @Rules, @Part, @CursorTime, @CursorId, @Total, @Processed, @ChangedSessions, @ChangedLeads, @ChangedSpend, @CreateTime, @FinishTime, @Actor)
        on conflict (workspace_id) do update set
          update_time = excluded.update_time, id = excluded.id, rules = excluded.rules, part = excluded.part, cursor_time = excluded.cursor_time,
          cursor_id = excluded.cursor_id, total = excluded.total, processed = excluded.processed, changed_sessions = excluded.changed_sessions,
          changed_leads = excluded.changed_leads, changed_spend = excluded.changed_spend, create_time = excluded.create_time,
          finish_time = excluded.finish_time, actor = excluded.actor
        """,
        new
        {
            workspace = tx.WorkspaceId,
            now = tx.Now,
            run.Id,
            run.Rules,
            run.Part,
            run.CursorTime,
            run.CursorId,
            run.Total,
            run.Processed,
            run.ChangedSessions,
            run.ChangedLeads,
            run.ChangedSpend,
            run.CreateTime,
            run.FinishTime,
            run.Actor,
        });
}
