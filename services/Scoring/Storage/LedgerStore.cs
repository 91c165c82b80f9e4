using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Storage;

/// <summary>The ledger of points.</summary>
internal static class LedgerStore
{
    private const string Columns =
        "lead_id, score_name, rule_id, activity_id, category, points, time, half_life_seconds, floor, end_time, evidence->>'detail' evidence";

    /// <summary>The ledgers of leads by lead and score, each in order of time, activity, rule.</summary>
    public static Task<ILookup<(Guid LeadId, string ScoreName), Contribution>> Read(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<Guid> leadIds) =>
        Read(tx, leadIds.ToDictionary(id => id, _ => DateTimeOffset.MinValue));

    /// <summary>Whether an entry can change when the first new activity has that time: later ones, and those for what holds of the lead as
    /// such, which may end.</summary>
    public static bool MayChange(Contribution entry, DateTimeOffset from) => entry.Time >= from || entry.IsOfProfile;

    /// <summary>As above, of each lead what <see cref="MayChange"/>, by the times given.</summary>
    public static async Task<ILookup<(Guid LeadId, string ScoreName), Contribution>> Read(
        Transaction<ScoringDbContext> tx, IReadOnlyDictionary<Guid, DateTimeOffset> from)
    {
        var all = from.Where(lead => lead.Value == DateTimeOffset.MinValue).Select(lead => lead.Key).ToArray();
        var some = from.Where(lead => lead.Value != DateTimeOffset.MinValue).ToArray();
        // Time and activity stand in the key: entries that are not wanted are passed over without being fetched.
        var rows = await tx.Connection.QueryAsync<LedgerRow>(new CommandDefinition(
            $"""
            select {Columns} from ledger where workspace_id = @WorkspaceId and lead_id = any(@all)
            union all
            select {Columns} from unnest(@ids, @times) asked (id, since) join ledger on lead_id = id and time >= since
            where workspace_id = @WorkspaceId
            union all
            select {Columns} from unnest(@ids, @times) asked (id, since) join ledger on lead_id = id and time < since
            where workspace_id = @WorkspaceId and activity_id = '00000000-0000-0000-0000-000000000000'
            """,
            new
            {
                tx.WorkspaceId,
                all,
                ids = some.Select(lead => lead.Key).ToArray(),
                times = some.Select(lead => lead.Value.UtcDateTime).ToArray(),
            },
            cancellationToken: tx.CancellationToken));
        return rows.OrderBy(row => row.Time).ThenBy(row => row.ActivityId).ThenBy(row => row.RuleId, StringComparer.Ordinal).ToLookup(
            row => (row.LeadId, row.ScoreName),
            row => new Contribution(
                row.RuleId, row.Category, row.ActivityId, row.Points, row.Time,
                row.HalfLifeSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                row.Evidence, row.Floor, row.EndTime));
    }

    /// <summary>Brings the ledgers of leads from what they are to what they shall be.</summary>
    public static async Task Write(Transaction<ScoringDbContext> tx, IReadOnlyList<LedgerChange> changes)
    {
        var written = changes.SelectMany(change => change.Written.Select(entry => (Of: change, Entry: entry))).ToArray();
        var removed = changes.SelectMany(change => change.Removed.Select(entry => (Of: change, Entry: entry))).ToArray();
        if (removed.Length > 0)
        {
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                delete from ledger using unnest(@leads, @scores, @rules, @activities, @times) gone (lead_id, score_name, rule_id, activity_id, time)
                where ledger.workspace_id = @WorkspaceId and ledger.lead_id = gone.lead_id and ledger.score_name = gone.score_name
                    and ledger.rule_id = gone.rule_id and ledger.activity_id = gone.activity_id and ledger.time = gone.time
                """,
                new
                {
                    tx.WorkspaceId,
                    leads = removed.Select(row => row.Of.LeadId).ToArray(),
                    scores = removed.Select(row => row.Of.ScoreName).ToArray(),
                    times = removed.Select(row => row.Entry.Time.UtcDateTime).ToArray(),
                    rules = removed.Select(row => row.Entry.RuleId).ToArray(),
                    activities = removed.Select(row => row.Entry.ActivityId).ToArray(),
                },
                cancellationToken: tx.CancellationToken));
        }

        if (written.Length > 0)
        {
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                insert into ledger
                    (workspace_id, lead_id, score_name, rule_id, activity_id, category, points, time, half_life_seconds, floor, end_time,
                    evidence, model_version)
                select @WorkspaceId, n.*
                from unnest(@leads, @scores, @rules, @activities, @categories, @points, @times, @halfLives, @floors, @ends,
                    @evidence::jsonb[], @models) n
                on conflict (workspace_id, lead_id, score_name, rule_id, activity_id, time) do update set
                    category = excluded.category, points = excluded.points, half_life_seconds = excluded.half_life_seconds,
                    floor = excluded.floor, end_time = excluded.end_time, evidence = excluded.evidence, model_version = excluded.model_version
                """,
                new
                {
                    tx.WorkspaceId,
                    leads = written.Select(row => row.Of.LeadId).ToArray(),
                    scores = written.Select(row => row.Of.ScoreName).ToArray(),
                    models = written.Select(row => row.Of.ModelVersion).ToArray(),
                    floors = written.Select(row => row.Entry.Floor).ToArray(),
                    // Not DateTime: an array that begins with null would be taken for times without a zone.
                    ends = written.Select(row => row.Entry.End?.ToUniversalTime()).ToArray(),
                    rules = written.Select(row => row.Entry.RuleId).ToArray(),
                    activities = written.Select(row => row.Entry.ActivityId).ToArray(),
                    categories = written.Select(row => (short)row.Entry.Category).ToArray(),
                    points = written.Select(row => row.Entry.Points).ToArray(),
                    times = written.Select(row => row.Entry.Time.UtcDateTime).ToArray(),
                    halfLives = written.Select(row => row.Entry.HalfLife?.TotalSeconds).ToArray(),
                    evidence = written.Select(row => Json(new EvidenceJson(row.Entry.Detail))).ToArray(),
                },
                cancellationToken: tx.CancellationToken));
        }
    }

    /// <summary>Adds transitions with their reasons.</summary>
    public static async Task AddTransitions(
        Transaction<ScoringDbContext> tx, int modelVersion, IReadOnlyList<(Guid LeadId, Transition Transition)> transitions)
    {
        if (transitions.Count == 0)
        {
            return;
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into transition (workspace_id, transition_id, lead_id, qualified, time, score, reasons, recent, changes, hot, model_version)
            select @WorkspaceId, n.*, @modelVersion
            from unnest(@ids, @leads, @qualified, @times, @scores, @reasons::jsonb[], @recent::jsonb[], @changes::jsonb[], @hot) n
            """,
            new
            {
                tx.WorkspaceId,
                modelVersion,
                ids = transitions.Select(_ => tx.NewId()).ToArray(),
                leads = transitions.Select(row => row.LeadId).ToArray(),
                qualified = transitions.Select(row => row.Transition.Qualified).ToArray(),
                times = transitions.Select(row => row.Transition.Time.UtcDateTime).ToArray(),
                scores = transitions.Select(row => row.Transition.Score).ToArray(),
                reasons = transitions.Select(row => Json(row.Transition.Reasons)).ToArray(),
                recent = transitions.Select(row => Json(row.Transition.Story.Recent)).ToArray(),
                changes = transitions.Select(row => Json(row.Transition.Story.Changes)).ToArray(),
                hot = transitions.Select(row => row.Transition.Story.Hot).ToArray(),
            },
            cancellationToken: tx.CancellationToken));
    }

    private static string Json<T>(T value) => StoredText.CleanJson(JsonSerializer.Serialize(value, DefaultModel.Json));

    private sealed record EvidenceJson(string? Detail);
}

/// <summary>Difference between a lead's ledger of one score and what it shall be.</summary>
internal sealed record LedgerChange(
    Guid LeadId, string ScoreName, int ModelVersion, IReadOnlyList<Contribution> Written, IReadOnlyList<Contribution> Removed)
{
    public bool Any => Written.Count + Removed.Count > 0;

    public static LedgerChange Between(
        Guid leadId, string scoreName, int modelVersion, IEnumerable<Contribution> before, IReadOnlyList<Contribution> after)
    {
        var old = before.ToDictionary(entry => (entry.RuleId, entry.ActivityId, entry.Time));
        var written = new List<Contribution>();
        foreach (var entry in after)
        {
            if (!old.Remove((entry.RuleId, entry.ActivityId, entry.Time), out var existing) || existing != entry)
            {
                written.Add(entry);
            }
        }

        return new(leadId, scoreName, modelVersion, written, old.Values.ToArray());
    }
}
