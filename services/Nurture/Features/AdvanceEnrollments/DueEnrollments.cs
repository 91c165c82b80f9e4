using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Npgsql;

namespace Lifecycle.Nurture.Features.AdvanceEnrollments;

/// <summary>An enrollment whose step is over.</summary>
internal sealed class DueEnrollment
{
    public Guid Id { get; init; }

    public Guid ProgramId { get; init; }

    public Guid LeadId { get; init; }

    public string Key { get; init; } = "";

    public int Occurrence { get; init; }

    public string StepId { get; init; } = "";

    public int Visit { get; init; }

    public DateTimeOffset? StepTime { get; init; }

    public DateTimeOffset DueTime { get; init; }

    public DateTimeOffset? EventTime { get; init; }

    public int Attempts { get; init; }

    public long Version { get; init; }

    public DateTimeOffset EnterTime { get; init; }

    /// <summary>The program is ACTIVE.</summary>
    public bool Runs { get; init; }

    public int PathVersion { get; init; }

    public Position Position => new(StepId, Visit, StepTime ?? EnterTime, DueTime, EventTime);
}

/// <summary>What holds for all programs of a workspace.</summary>
internal sealed record WorkspaceRules(TimeZoneInfo Zone, SendingPolicy Policy)
{
    public static WorkspaceRules From(string? zone, string? policy) => new(
        zone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? found : TimeZoneInfo.Utc,
        policy is null ? SendingPolicy.None : ProgramStore.ParsePolicy(policy));
}

/// <summary>What an advance reads, in two round trips: the queue's head with the workspace's rules, then what the paths ask for.</summary>
internal static class DueEnrollments
{
    private const string Columns =
        """
        select e.id, e.program_id, e.lead_id, e.key, e.occurrence, e.step_id, e.visit, e.step_time, e.due_time, e.event_time, e.attempts,
          e.version, e.enter_time, p.state = 'ACTIVE' as runs,
          case when e.path_version = 0 then p.version else e.path_version end as path_version
        from enrollment e join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
        where e.workspace_id = $1 and e.state = 'ACTIVE' and not e.held and e.due_time <= $2
        """;

    /// <summary>Reads the head of the partial index on (workspace_id, due_time) and stops at the limit.</summary>
    private const string Due = Columns + " order by e.due_time limit $3 for update of e skip locked";

    private const string DueOne = Columns + " and e.id = $3 for update of e skip locked";

    /// <summary>Puts the reading of the queue's head, or of one enrollment, into the round trip that begins the transaction.</summary>
    public static void Open(Transaction<NurtureDbContext> tx, NpgsqlBatch batch, int limit, Guid? only = null)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(only is null ? Due : DueOne)
        {
            Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Value(tx.Now), only is { } id ? Bulk.Value(id) : Bulk.Value(limit) },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "select w.time_zone, p.policy from workspace w left join sending_policy p on p.workspace_id = w.id where w.id = $1")
        {
            Parameters = { Bulk.Value(tx.WorkspaceId) },
        });
    }

    /// <summary>Reads what <see cref="Open"/> asked for.</summary>
    public static async Task<(List<DueEnrollment> Due, WorkspaceRules Workspace)> Read(NpgsqlDataReader results, CancellationToken ct)
    {
        var due = new List<DueEnrollment>();
        var parse = results.GetRowParser<DueEnrollment>();
        while (await results.ReadAsync(ct))
        {
            due.Add(parse(results));
        }

        await results.NextResultAsync(ct);
        return (due, await results.ReadAsync(ct)
            ? WorkspaceRules.From(results.GetString(0), await results.IsDBNullAsync(1, ct) ? null : results.GetString(1))
            : WorkspaceRules.From(null, null));
    }

    /// <summary>
    /// The leads' rows. Where the paths change or await what others change too, they are locked, and those that another transaction holds
    /// are left out: an advance never waits for a lock that the holder's transaction may need to get past this one.
    /// </summary>
    public static async Task<IReadOnlyDictionary<Guid, LeadRow>> Leads(
        Transaction<NurtureDbContext> tx, IReadOnlyCollection<Guid> ids, bool locked) =>
        (await tx.Connection.QueryAsync<LeadRow>(new CommandDefinition(
            $"select * from lead where workspace_id = @workspace and lead_id = any(@ids){(locked ? " for update skip locked" : "")}",
            new { workspace = tx.WorkspaceId, ids = ids.Distinct().Order().ToArray() },
            cancellationToken: tx.CancellationToken))).ToDictionary(row => row.LeadId);

    /// <summary>
    /// When the leads were mailed, or will be in a moment, within the longest window of the caps; transactional programs' mails apart.
    /// </summary>
    public static async Task<ILookup<Guid, DateTimeOffset>> Sendings(
        Transaction<NurtureDbContext> tx, IEnumerable<Guid> leadIds, SendingPolicy policy) =>
        (await tx.Connection.QueryAsync<(Guid LeadId, DateTimeOffset Time)>(new CommandDefinition(
            """
            select m.lead_id, m.create_time from message m join program p on p.workspace_id = m.workspace_id and p.id = m.program_id
            where m.workspace_id = @workspace and m.lead_id = any(@leads) and m.create_time > @after
              and m.state in ('PENDING', 'SENDING', 'SENT') and not coalesce((p.path ->> 'IsTransactional')::boolean, false)
            """,
            new { workspace = tx.WorkspaceId, leads = leadIds.ToArray(), after = tx.Now - policy.LongestWindow },
            cancellationToken: tx.CancellationToken))).ToLookup(mail => mail.LeadId, mail => mail.Time);

    /// <summary>Counts a failure and tries the step again later: one enrollment's fault holds up no other.</summary>
    public static Task<int> Fail(Transaction<NurtureDbContext> tx, Guid id, string fault, DateTimeOffset due) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update enrollment set fault = @fault, attempts = attempts + 1, due_time = @due
            where workspace_id = @workspace and id = @id and state = 'ACTIVE'
            """,
            new { workspace = tx.WorkspaceId, id, fault = fault.Length > 500 ? fault[..500] : fault, due },
            cancellationToken: tx.CancellationToken));
}
