using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Scoring.Storage;

/// <summary>Rows of leads and their activities.</summary>
internal static class LeadStore
{
    private const int MaxMerges = 20;
    private const string Columns =
        """
        workspace_id, lead_id, profile_version, profile, create_time, channel, source, medium, campaign, since, stage, stage_version,
        customer_time, merged_into, erase_time, qualified, decided_until, returned, due_time, model_version, state, version, change_time, next_time, generation, adjustments, company_key, company_name,
        version stored_version
        """;

    private const string Xids = "xmin::text::bigint write_xid, pg_current_xact_id()::xid::text::bigint lock_xid";

    /// <summary>What scoring sets, and decides by.</summary>
    private const string StandingColumns =
        $"""
        lead_id, create_time, stage, merged_into, erase_time, qualified, decided_until, returned, due_time, model_version, state, version,
        change_time, next_time, generation, adjustments, company_key, company_name, version stored_version, {Xids}
        """;

    /// <summary>
    /// Locks the rows of leads, making those that are missing (events come in any order). A merged lead stands for the one it lives on as.
    /// Rows are locked in order of id, so that two transactions do not wait for each other.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="leadIds">The leads.</param>
    /// <param name="withFacts">False: of what is known of the leads only what tells them apart is read; see <see cref="ReadFacts"/>. Such
    /// rows are not for <see cref="Save"/>.</param>
    /// <returns>The row that stands for each id asked for.</returns>
    public static async Task<IReadOnlyDictionary<Guid, LeadRow>> Lock(
        Transaction<ScoringDbContext> tx, IEnumerable<Guid> leadIds, bool withFacts = true)
    {
        var asked = leadIds.Distinct().Order().ToArray();
        var rows = new Dictionary<Guid, LeadRow>();
        await Take(asked);
        // Nearly every lead is there already: what is not is made, or found after all when another transaction made it meanwhile.
        var missing = asked.Where(id => !rows.ContainsKey(id)).ToArray();
        if (missing.Length > 0)
        {
            await Make(tx, missing);
            await Take(missing);
        }

        for (var round = 1; round < MaxMerges; round++)
        {
            var merged = rows.Values.Select(row => row.MergedInto).OfType<Guid>()
                .Where(id => !rows.ContainsKey(id)).Distinct().Order().ToArray();
            if (merged.Length == 0)
            {
                break;
            }

            await Take(merged);
        }

        return asked.ToDictionary(id => id, id => Resolve(rows, id));

        async Task Take(Guid[] ids)
        {
            foreach (var row in await Select(
                tx, withFacts ? $"{Columns}, {Xids}" : StandingColumns, "lead_id = any(@ids) order by lead_id for update", new { ids }))
            {
                rows[row.LeadId] = row;
            }
        }
    }

    /// <summary>Reads profiles, and since when their rules have held, of rows that were locked without.</summary>
    public static async Task ReadFacts(Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var facts = await Select(
            tx, "lead_id, profile, since", "lead_id = any(@ids)", new { ids = rows.Select(row => row.LeadId).ToArray() });
        var byLead = facts.ToDictionary(row => row.LeadId);
        foreach (var row in rows)
        {
            (row.Profile, row.Since) = (byLead[row.LeadId].Profile, byLead[row.LeadId].Since);
        }
    }

    private static Task<int> Make(Transaction<ScoringDbContext> tx, Guid[] ids)
    {
        return Bulk.Insert(
            tx, "lead",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, ids, _ => tx.WorkspaceId),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, ids, id => id),
                Fill("profile_version", NpgsqlDbType.Bigint, 0L),
                Fill("stage_version", NpgsqlDbType.Bigint, 0L),
                Fill("qualified", NpgsqlDbType.Boolean, false),
                Fill("returned", NpgsqlDbType.Boolean, false),
                Fill("model_version", NpgsqlDbType.Integer, -1),
                Fill("version", NpgsqlDbType.Bigint, 0L),
                Fill("change_time", NpgsqlDbType.TimestampTz, tx.Now),
            ],
            "on conflict do nothing");

        BulkColumn Fill<T>(string name, NpgsqlDbType type, T value) => new(name, type, Enumerable.Repeat(value, ids.Length).ToArray());
    }

    /// <summary>Leads that merged ones live on as, by the merged one's id; whoever was not merged is absent.</summary>
    public static async Task<Dictionary<Guid, Guid>> Successors(Transaction<ScoringDbContext> tx, IReadOnlyCollection<Guid> leadIds) =>
        (await tx.Connection.QueryAsync<(Guid Merged, Guid Living)>(new CommandDefinition(
            """
            with recursive path as (
                select lead_id merged, merged_into living, 1 steps from lead
                where workspace_id = @WorkspaceId and lead_id = any(@ids) and merged_into is not null
                union all
                select path.merged, lead.merged_into, steps + 1 from path join lead on lead.workspace_id = @WorkspaceId and lead.lead_id = living
                where lead.merged_into is not null and steps < @MaxMerges)
            select distinct on (merged) merged, living from path order by merged, steps desc
            """,
            new { tx.WorkspaceId, ids = leadIds.ToArray(), MaxMerges },
            cancellationToken: tx.CancellationToken))).ToDictionary(pair => pair.Merged, pair => pair.Living);

    /// <summary>The lead that an id stands for: itself, or the one that it lives on as.</summary>
    public static async Task<Guid> Living(Transaction<ScoringDbContext> tx, Guid leadId) =>
        (await Successors(tx, [leadId])).GetValueOrDefault(leadId, leadId);

    /// <summary>Rows of leads by condition on the table <c>lead</c>, of the workspace.</summary>
    public static Task<List<LeadRow>> Select(Transaction<ScoringDbContext> tx, string where, object? parameters = null) =>
        Select(tx, Columns, where, parameters);

    private static async Task<List<LeadRow>> Select(Transaction<ScoringDbContext> tx, string columns, string where, object? parameters)
    {
        var all = new DynamicParameters(parameters);
        all.Add("WorkspaceId", tx.WorkspaceId);
        return (await tx.Connection.QueryAsync<LeadRow>(new CommandDefinition(
            $"select {columns} from lead where workspace_id = @WorkspaceId and {where}", all,
            cancellationToken: tx.CancellationToken))).AsList();
    }

    /// <summary>Writes everything of the rows but their keys.</summary>
    public static async Task Save(Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows)
    {
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update lead set
                profile_version = n.profile_version, profile = n.profile, create_time = n.create_time,
                channel = n.channel, source = n.source, medium = n.medium, campaign = n.campaign,
                since = n.since, stage = n.stage, stage_version = n.stage_version, customer_time = n.customer_time,
                merged_into = n.merged_into, erase_time = n.erase_time,
                qualified = n.qualified, decided_until = n.decided_until, returned = n.returned, due_time = n.due_time,
                model_version = n.model_version, state = n.state, version = n.version,
                change_time = n.change_time, next_time = n.next_time, generation = n.generation, adjustments = n.adjustments,
                company_key = n.company_key, company_name = n.company_name,
                change_xid = case when lead.version = n.version then lead.change_xid else pg_current_xact_id()::text::bigint end
            from jsonb_populate_recordset(null::lead, @rows::jsonb) n
            where lead.workspace_id = @WorkspaceId and lead.lead_id = n.lead_id
            """,
            new { tx.WorkspaceId, rows = JsonSerializer.Serialize(rows.Select(Row), Json) },
            cancellationToken: tx.CancellationToken));
    }

    /// <summary>Writes what scoring sets, and nothing else, of rows that were locked by this transaction, at its end.</summary>
    public static void SaveScores(Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows) => tx.Close(
        """
        update lead set
            qualified = n.qualified, decided_until = n.decided_until, returned = n.returned, due_time = n.due_time,
            model_version = n.model_version, state = n.state, version = n.version, change_time = n.change_time,
            next_time = n.next_time, generation = n.generation, company_key = n.company_key, company_name = n.company_name,
            change_xid = case when lead.version = n.version then lead.change_xid else pg_current_xact_id()::text::bigint end
        from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) n
            (lead_id, qualified, decided_until, returned, due_time, model_version, state, version, change_time, next_time, generation,
            company_key, company_name)
        where lead.workspace_id = $1 and lead.lead_id = n.lead_id
        """,
        Column.Of(NpgsqlDbType.Uuid, rows, row => row.LeadId),
        Column.Of(NpgsqlDbType.Boolean, rows, row => row.Qualified),
        Column.Of(NpgsqlDbType.TimestampTz, rows, row => row.DecidedUntil?.UtcDateTime),
        Column.Of(NpgsqlDbType.Boolean, rows, row => row.Returned),
        Column.Of(NpgsqlDbType.TimestampTz, rows, row => row.DueTime?.UtcDateTime),
        Column.Of(NpgsqlDbType.Integer, rows, row => row.ModelVersion),
        Column.Of(NpgsqlDbType.Jsonb, rows, row => row.State),
        Column.Of(NpgsqlDbType.Bigint, rows, row => row.Version),
        Column.Of(NpgsqlDbType.TimestampTz, rows, row => row.ChangeTime.UtcDateTime),
        Column.Of(NpgsqlDbType.TimestampTz, rows, row => row.NextTime?.UtcDateTime),
        Column.Of(NpgsqlDbType.Integer, rows, row => row.Generation),
        Column.Of(NpgsqlDbType.Text, rows, row => row.CompanyKey),
        Column.Of(NpgsqlDbType.Text, rows, row => row.CompanyName));

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>JSON columns go in as JSON, not as text.</summary>
    private static object Row(LeadRow row) => new
    {
        row.LeadId,
        row.ProfileVersion,
        Profile = Parse(row.Profile),
        row.CreateTime,
        row.Channel,
        row.Source,
        row.Medium,
        row.Campaign,
        Since = Parse(row.Since),
        row.Stage,
        row.StageVersion,
        row.CustomerTime,
        row.MergedInto,
        row.EraseTime,
        row.Qualified,
        row.DecidedUntil,
        row.Returned,
        row.DueTime,
        row.ModelVersion,
        State = Parse(row.State),
        row.Version,
        row.ChangeTime,
        row.NextTime,
        row.Generation,
        row.Adjustments,
        row.CompanyKey,
        row.CompanyName,
    };

    private static JsonElement? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<JsonElement>(json);

    private static LeadRow Resolve(Dictionary<Guid, LeadRow> rows, Guid id)
    {
        var row = rows[id];
        while (row.MergedInto is { } target && rows.TryGetValue(target, out var next))
        {
            row = next;
        }

        return row;
    }
}
