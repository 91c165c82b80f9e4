using System.Text.Json;
using Dapper;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Capture.Storage;

/// <summary>Leads and the keys by which they are known.</summary>
internal static class LeadStore
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    internal const string Columns = """
        id, version, stage, create_time as CreateTime, capture_type as CaptureType, form_type as FormType, capture_time as CaptureTime,
        profile::text as Profile, own::text as Own, observed::text as Observed, told_touch::text as ToldTouch, first_touch::text as FirstTouch, last_touch::text as LastTouch
        """;

    /// <summary>
    /// Makes the writers of one workspace wait for each other, in every replica: who is who is decided by one at a time. Group commits keep
    /// the lock for many messages at once, so that a workspace's rate is that of its commits; a lock per key would need thousands in one
    /// transaction, more than Postgres' shared table holds.
    /// </summary>
    public static async Task Lock(Transaction<CaptureDbContext> tx)
    {
        await using var command =
            new NpgsqlCommand($"select {TakeLock}", tx.Connection) { Parameters = { Bulk.Value(tx.WorkspaceId.ToString()) } };
        await command.ExecuteNonQueryAsync(tx.CancellationToken);
    }

    /// <summary>What takes that lock; $1 is the workspace's id as text.</summary>
    internal const string TakeLock = "pg_advisory_xact_lock(hashtextextended('capture.leads/' || $1, 0))";

    /// <summary>Kind, value and owner of the keys that have one, with the lead; $1 is the workspace, $2 kinds, $3 values.</summary>
    internal const string ByKey =
        $"""
        select i.kind, i.value, i.lead_id, l.*
        from unnest($2, $3) as k(kind, value)
        cross join lateral (select * from lead_identity where workspace_id = $1 and kind = k.kind and value = k.value offset 0) i
        left join lateral (select {Columns} from lead where workspace_id = $1 and id = i.lead_id and erase_time is null offset 0) l on true
        """;

    private const int OwnerWidth = 3;

    /// <summary>Reads the rows of <see cref="ByKey"/>.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="leads">Gets the leads.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<Dictionary<IdentityKey, Guid>> ReadOwners(
        NpgsqlDataReader rows, Dictionary<Guid, Lead> leads, CancellationToken ct)
    {
        var owners = new Dictionary<IdentityKey, Guid>();
        var readLead = LeadsOf(rows, OwnerWidth, leads);
        while (await rows.ReadAsync(ct))
        {
            owners.Add(new(rows.GetString(0), rows.GetString(1)), rows.GetGuid(2));
            readLead();
        }

        return owners;
    }

    /// <summary>What reads the lead of a row.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="position">Where <see cref="Columns"/> begin, all null where there is no lead.</param>
    /// <param name="leads">Gets the leads.</param>
    public static Action LeadsOf(NpgsqlDataReader rows, int position, Dictionary<Guid, Lead> leads)
    {
        var parse = rows.GetRowParser<StoredLead>(startIndex: position);
        return () =>
        {
            if (!rows.IsDBNull(position) && !leads.ContainsKey(rows.GetGuid(position)))
            {
                var lead = parse(rows).ToLead();
                leads.Add(lead.Id, lead);
            }
        };
    }

    /// <summary>Owners of the keys that have one.</summary>
    public static async Task<Dictionary<IdentityKey, Guid>> OwnersOf(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<IdentityKey> keys)
    {
        var rows = keys.Count == 0 ? [] : await tx.Connection.QueryAsync<(string Kind, string Value, Guid LeadId)>(
            """
            select i.kind, i.value, i.lead_id
            from unnest(@kinds, @values) as k(kind, value)
            join lead_identity i on i.workspace_id = @workspace and i.kind = k.kind and i.value = k.value
            """,
            new
            {
                workspace = tx.WorkspaceId,
                kinds = keys.Select(key => key.Kind).ToArray(),
                values = keys.Select(key => key.Value).ToArray()
            });
        return rows.ToDictionary(row => new IdentityKey(row.Kind, row.Value), row => row.LeadId);
    }

    /// <summary>Leads by id; erased ones are not among them.</summary>
    public static async Task<Dictionary<Guid, Lead>> Load(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> ids)
    {
        var rows = ids.Count == 0 ? [] : await tx.Connection.QueryAsync<StoredLead>(
            $"select {Columns} from lead where workspace_id = @workspace and id = any(@ids) and erase_time is null",
            new { workspace = tx.WorkspaceId, ids = ids.ToArray() });
        return rows.ToDictionary(row => row.Id, row => row.ToLead());
    }

    /// <summary>Asks for leads by id.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="ids">At least one.</param>
    /// <param name="found">Gets each lead at the next flush; erased ones are not among them.</param>
    public static void AskLoad(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> ids, Action<Lead> found) => tx.Ask(
        new($"select {Columns} from lead where workspace_id = $1 and id = any($2) and erase_time is null")
        {
            Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, ids.ToArray()) },
        },
        async rows =>
        {
            var parse = rows.GetRowParser<StoredLead>();
            while (await rows.ReadAsync(tx.CancellationToken))
            {
                found(parse(rows).ToLead());
            }
        });

    /// <summary>The lead as which an id lives on; null when there is none, or it was erased.</summary>
    public static async Task<Lead?> Find(Transaction<CaptureDbContext> tx, Guid id)
    {
        var current = await Current(tx, id);
        return (await Load(tx, [current])).GetValueOrDefault(current);
    }

    /// <summary>Follows a merge; the id itself when there was none.</summary>
    public static async Task<Guid> Current(Transaction<CaptureDbContext> tx, Guid id) =>
        await tx.Connection.QuerySingleOrDefaultAsync<Guid?>(
            "select target_id from lead_redirect where workspace_id = @workspace and source_id = @id",
            new { workspace = tx.WorkspaceId, id }) ?? id;

    /// <summary>Writes what changed of the leads before the commit; a published change makes a new version.</summary>
    public static void Save(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Lead> changed)
    {
        var leads = changed.Where(lead => lead.Dirty).ToArray();
        foreach (var lead in leads.Where(lead => lead.Changed))
        {
            lead.Version++;
        }

        // An imported lead's three touches are mostly one.
        var touches = new Dictionary<Touch, string>(ReferenceEqualityComparer.Instance);
        string? Json(Touch? touch) =>
            touch is null ? null
                : touches.TryGetValue(touch, out var json) ? json : touches[touch] = JsonSerializer.Serialize(touch, Options);

        Bulk.Add(
            tx.Closing,
            "lead",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, leads, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, leads, lead => lead.Id),
                BulkColumn.From("version", NpgsqlDbType.Bigint, leads, lead => lead.Version),
                BulkColumn.From("email", NpgsqlDbType.Text, leads, lead => lead.Email ?? ""),
                BulkColumn.From("external_id", NpgsqlDbType.Text, leads, lead => lead.ExternalId ?? ""),
                BulkColumn.From("stage", NpgsqlDbType.Text, leads, lead => lead.Stage),
                BulkColumn.From("stage_version", NpgsqlDbType.Bigint, leads, _ => 0L),
                BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, leads, lead => lead.CreateTime),
                BulkColumn.From("update_time", NpgsqlDbType.TimestampTz, leads, _ => tx.Now),
                BulkColumn.From("capture_type", NpgsqlDbType.Text, leads, lead => lead.Capture.TypeName),
                BulkColumn.From("form_type", NpgsqlDbType.Text, leads, lead => lead.Capture.FormType),
                BulkColumn.From("capture_time", NpgsqlDbType.TimestampTz, leads, lead => lead.Capture.Time),
                BulkColumn.From("profile", NpgsqlDbType.Jsonb, leads, lead => lead.Profile.ToJson()),
                BulkColumn.From("own", NpgsqlDbType.Jsonb, leads, lead => lead.Own.ToJson()),
                BulkColumn.From("observed", NpgsqlDbType.Jsonb, leads, lead => lead.Observed.ToJson()),
                BulkColumn.From("told_touch", NpgsqlDbType.Jsonb, leads, lead => Json(lead.ToldTouch)),
                BulkColumn.From("first_touch", NpgsqlDbType.Jsonb, leads, lead => Json(lead.FirstTouch)),
                BulkColumn.From("last_touch", NpgsqlDbType.Jsonb, leads, lead => Json(lead.LastTouch)),
                BulkColumn.From("channel", NpgsqlDbType.Text, leads, lead => lead.FirstTouchOrUnknown.Channel),
                BulkColumn.From("source", NpgsqlDbType.Text, leads, lead => lead.FirstTouchOrUnknown.Source),
                BulkColumn.From("medium", NpgsqlDbType.Text, leads, lead => lead.FirstTouchOrUnknown.Medium),
                BulkColumn.From("campaign", NpgsqlDbType.Text, leads, lead => lead.FirstTouchOrUnknown.Campaign),
                BulkColumn.From("keyword", NpgsqlDbType.Text, leads, lead => lead.FirstTouchOrUnknown.Keyword),
            ],
            // The stage is Conversion's word and written by its event alone.
            """
            on conflict (workspace_id, id) do update set
              version = excluded.version, email = excluded.email, external_id = excluded.external_id, create_time = excluded.create_time,
              update_time = excluded.update_time, capture_type = excluded.capture_type, form_type = excluded.form_type,
              capture_time = excluded.capture_time, profile = excluded.profile, own = excluded.own, observed = excluded.observed, told_touch = excluded.told_touch,
              first_touch = excluded.first_touch, last_touch = excluded.last_touch, channel = excluded.channel, source = excluded.source,
              medium = excluded.medium, campaign = excluded.campaign, keyword = excluded.keyword
            """);
    }

    /// <summary>Writes whose the keys are before the commit.</summary>
    public static void AddKeys(Transaction<CaptureDbContext> tx, IReadOnlyCollection<KeyValuePair<IdentityKey, Guid>> keys) => Bulk.Add(
        tx.Closing,
        "lead_identity",
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, keys, _ => tx.WorkspaceId),
            BulkColumn.From("kind", NpgsqlDbType.Text, keys, key => key.Key.Kind),
            BulkColumn.From("value", NpgsqlDbType.Text, keys, key => key.Key.Value),
            BulkColumn.From("lead_id", NpgsqlDbType.Uuid, keys, key => key.Value),
        ],
        "on conflict (workspace_id, kind, value) do update set lead_id = excluded.lead_id");

    /// <summary>
    /// Gives everything of the source to the target, for ever; answers the source's visitors, whose sessions are to be cut anew.
    /// </summary>
    public static async Task<IReadOnlyList<Guid>> Merge(Transaction<CaptureDbContext> tx, Guid source, Guid target)
    {
        var ids = new { workspace = tx.WorkspaceId, source, target };
        await tx.Connection.ExecuteAsync(
            """
            update lead_identity set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            update lead_redirect set target_id = @target where workspace_id = @workspace and target_id = @source;
            insert into lead_redirect (workspace_id, source_id, target_id) values (@workspace, @source, @target)
              on conflict (workspace_id, source_id) do update set target_id = excluded.target_id;
            update activity set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            update visitor set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            delete from lead where workspace_id = @workspace and id = @source;
            """,
            ids);
        return (await tx.Connection.QueryAsync<Guid>(
            "update session set lead_id = @target where workspace_id = @workspace and lead_id = @source returning visitor_id",
            ids)).Distinct().ToArray();
    }

    internal class StoredLead
    {
        public Guid Id { get; init; }

        public long Version { get; init; }

        public required string Stage { get; init; }

        public DateTimeOffset CreateTime { get; init; }

        public required string CaptureType { get; init; }

        public string? FormType { get; init; }

        public DateTimeOffset CaptureTime { get; init; }

        public required string Profile { get; init; }

        public required string Own { get; init; }

        public required string Observed { get; init; }

        public string? ToldTouch { get; init; }

        public string? FirstTouch { get; init; }

        public string? LastTouch { get; init; }

        public Lead ToLead() => new Lead
        {
            Id = Id,
            Version = Version,
            Stage = Stage,
            CreateTime = CreateTime,
            Capture = new(CaptureTime, Enum.Parse<CaptureType>(CaptureType, ignoreCase: true), FormType),
            Profile = Domain.Leads.Profile.FromJson(Profile),
            Own = Domain.Leads.Profile.FromJson(Own),
            ToldTouch = FromJson(ToldTouch),
            FirstTouch = FromJson(FirstTouch),
            LastTouch = FromJson(LastTouch),
        }.WithObserved(Domain.Leads.Profile.FromJson(Observed));

        private static Touch? FromJson(string? json) => json is null ? null : JsonSerializer.Deserialize<Touch>(json, Options);
    }
}
