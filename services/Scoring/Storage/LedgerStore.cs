using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using NpgsqlTypes;

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

    /// <summary>As above, of each lead the entries from a time on; that of all leads that are asked for together is the earliest.</summary>
    public static async Task<ILookup<(Guid LeadId, string ScoreName), Contribution>> Read(
        Transaction<ScoringDbContext> tx, IReadOnlyDictionary<Guid, DateTimeOffset> from)
    {
        var rows = new List<LedgerRow>();
        foreach (var part in new[]
        {
            from.Where(lead => lead.Value == DateTimeOffset.MinValue), from.Where(lead => lead.Value > DateTimeOffset.MinValue)
        })
        {
            var leads = part.ToArray();
            if (leads.Length > 0)
            {
                // Through pk_ledger, lead by lead, whatever Postgres believes to be in the table: a join with the times of each lead
                // becomes a walk through all of it, once for every lead, as long as nobody has counted it. Time stands in the key.
                rows.AddRange(await tx.Connection.QueryAsync<LedgerRow>(new CommandDefinition(
                    $"select {Columns} from ledger where workspace_id = @WorkspaceId and lead_id = any(@ids) and time >= @since",
                    new
                    {
                        tx.WorkspaceId,
                        ids = leads.Select(lead => lead.Key).ToArray(),
                        since = leads.Min(lead => lead.Value).UtcDateTime,
                    },
                    cancellationToken: tx.CancellationToken)));
            }
        }

        return rows.Where(row => row.Time >= from[row.LeadId]).OrderBy(row => row.Time).ThenBy(row => row.ActivityId)
            .ThenBy(row => row.RuleId, StringComparer.Ordinal).ToLookup(
                row => (row.LeadId, row.ScoreName),
                row => new Contribution(
                    row.RuleId, row.Category, row.ActivityId, row.Points, row.Time,
                    row.HalfLifeSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                    row.Evidence, row.Floor, row.EndTime));
    }

    /// <summary>Brings the ledgers of leads from what they are to what they shall be, at the transaction's end. Who holds a lead's lock
    /// knows what stands in its ledger, so that nothing written is there already.</summary>
    public static void Write(Transaction<ScoringDbContext> tx, IReadOnlyList<LedgerChange> changes)
    {
        var written = changes.SelectMany(change => change.Written.Select(entry => (Of: change, Entry: entry))).ToArray();
        var removed = changes.SelectMany(change => change.Removed.Select(entry => (Of: change, Entry: entry))).ToArray();
        if (removed.Length > 0)
        {
            // Each by its key: joined with the entries, the whole ledger would be walked through once there are some hundred of them.
            tx.Close(
                """
                delete from ledger where workspace_id = $1 and ctid = any(array(
                    select entry.ctid
                    from unnest($2, $3, $4, $5, $6) gone (lead_id, score_name, rule_id, activity_id, time)
                    cross join lateral (
                        select ctid from ledger
                        where workspace_id = $1 and lead_id = gone.lead_id and score_name = gone.score_name and rule_id = gone.rule_id
                            and activity_id = gone.activity_id and time = gone.time
                        offset 0) entry))
                """,
                Column.Of(NpgsqlDbType.Uuid, removed, row => row.Of.LeadId),
                Column.Of(NpgsqlDbType.Text, removed, row => row.Of.ScoreName),
                Column.Of(NpgsqlDbType.Text, removed, row => row.Entry.RuleId),
                Column.Of(NpgsqlDbType.Uuid, removed, row => row.Entry.ActivityId),
                Column.Of(NpgsqlDbType.TimestampTz, removed, row => row.Entry.Time.UtcDateTime));
        }

        if (written.Length > 0)
        {
            tx.Close(
                """
                insert into ledger
                    (workspace_id, lead_id, score_name, rule_id, activity_id, category, points, time, half_life_seconds, floor, end_time,
                    evidence, model_version)
                select $1, n.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) n
                """,
                Column.Of(NpgsqlDbType.Uuid, written, row => row.Of.LeadId),
                Column.Of(NpgsqlDbType.Text, written, row => row.Of.ScoreName),
                Column.Of(NpgsqlDbType.Text, written, row => row.Entry.RuleId),
                Column.Of(NpgsqlDbType.Uuid, written, row => row.Entry.ActivityId),
                Column.Of(NpgsqlDbType.Smallint, written, row => (short)row.Entry.Category),
                Column.Of(NpgsqlDbType.Numeric, written, row => row.Entry.Points),
                Column.Of(NpgsqlDbType.TimestampTz, written, row => row.Entry.Time.UtcDateTime),
                Column.Of(NpgsqlDbType.Double, written, row => row.Entry.HalfLife?.TotalSeconds),
                Column.Of(NpgsqlDbType.Numeric, written, row => row.Entry.Floor),
                Column.Of(NpgsqlDbType.TimestampTz, written, row => row.Entry.End?.UtcDateTime),
                Column.Of(NpgsqlDbType.Jsonb, written, row => Json(new EvidenceJson(row.Entry.Detail))),
                Column.Of(NpgsqlDbType.Integer, written, row => row.Of.ModelVersion));
        }
    }

    /// <summary>Adds transitions with their reasons, at the transaction's end.</summary>
    public static void AddTransitions(
        Transaction<ScoringDbContext> tx, int modelVersion, IReadOnlyList<(Guid LeadId, Transition Transition)> transitions)
    {
        if (transitions.Count == 0)
        {
            return;
        }

        tx.Close(
            """
            insert into transition (workspace_id, transition_id, lead_id, qualified, time, score, reasons, recent, changes, hot, model_version)
            select $1, n.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) n
            """,
            Column.Of(NpgsqlDbType.Uuid, transitions, _ => tx.NewId()),
            Column.Of(NpgsqlDbType.Uuid, transitions, row => row.LeadId),
            Column.Of(NpgsqlDbType.Boolean, transitions, row => row.Transition.Qualified),
            Column.Of(NpgsqlDbType.TimestampTz, transitions, row => row.Transition.Time.UtcDateTime),
            Column.Of(NpgsqlDbType.Numeric, transitions, row => row.Transition.Score),
            Column.Of(NpgsqlDbType.Jsonb, transitions, row => Json(row.Transition.Reasons)),
            Column.Of(NpgsqlDbType.Jsonb, transitions, row => Json(row.Transition.Story.Recent)),
            Column.Of(NpgsqlDbType.Jsonb, transitions, row => Json(row.Transition.Story.Changes)),
            Column.Of(NpgsqlDbType.Boolean, transitions, row => row.Transition.Story.Hot),
            Column.Of(NpgsqlDbType.Integer, transitions, _ => modelVersion));
    }

    private static string Json<T>(T value) => StoredText.CleanJson(JsonSerializer.Serialize(value, DefaultModel.Json));

    private sealed record EvidenceJson(string? Detail);
}

/// <summary>Difference between a lead's ledger of one score and what it shall be. An entry that changes is removed, then written.</summary>
internal sealed record LedgerChange(
    Guid LeadId, string ScoreName, int ModelVersion, IReadOnlyList<Contribution> Written, IReadOnlyList<Contribution> Removed)
{
    public bool Any => Written.Count + Removed.Count > 0;

    public static LedgerChange Between(
        Guid leadId, string scoreName, int modelVersion, IEnumerable<Contribution> before, IReadOnlyList<Contribution> after)
    {
        var old = before.ToDictionary(entry => (entry.RuleId, entry.ActivityId, entry.Time));
        if (old.Count == 0)
        {
            return new(leadId, scoreName, modelVersion, after, []);
        }

        var (written, removed) = (new List<Contribution>(), new List<Contribution>());
        foreach (var entry in after)
        {
            if (!old.Remove((entry.RuleId, entry.ActivityId, entry.Time), out var existing))
            {
                written.Add(entry);
            }
            else if (existing != entry)
            {
                written.Add(entry);
                removed.Add(existing);
            }
        }

        removed.AddRange(old.Values);
        return new(leadId, scoreName, modelVersion, written, removed);
    }
}
