using Dapper;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// What a commit finds stored: all that its messages alone lead to, read under the workspace's lock in the round trip that begins the
/// transaction and takes the lock.
/// </summary>
/// <param name="Added">Keys of the messages that had not come before; they are noted now.</param>
/// <param name="Visitors">Visitors of the messages' devices.</param>
/// <param name="Owners">Owners of the keys that name people.</param>
/// <param name="Leads">Those owners and the leads of the visitors.</param>
/// <param name="Zone">Zone by which counts are kept; null where they are not.</param>
internal sealed record CommitReads(
    HashSet<Guid> Added, Dictionary<string, StoredVisitor> Visitors, Dictionary<IdentityKey, Guid> Owners,
    Dictionary<Guid, Lead> Leads, string? Zone)
{
    /// <summary>Adds the statements.</summary>
    /// <param name="batch">Batch that begins the transaction.</param>
    /// <param name="tx">The transaction.</param>
    /// <param name="keyed">The messages by key.</param>
    public static void Add(NpgsqlBatch batch, Transaction<CaptureDbContext> tx, Dictionary<Guid, Item> keyed)
    {
        var workspace = tx.WorkspaceId;
        var devices = Bulk.Array(NpgsqlDbType.Text, keyed.Values.Select(item => item.Message.Device).OfType<string>()
            .Distinct(StringComparer.Ordinal).ToArray());
        var people = keyed.Values.SelectMany(item => item.Message.Person.Keys).Distinct().ToArray();
        var (kinds, values) = (Bulk.Array(NpgsqlDbType.Text, people.Select(key => key.Kind).ToArray()), Bulk.Array(
            NpgsqlDbType.Text, people.Select(key => key.Value).ToArray()));

        // All is looked up by key, whatever statistics say of tables that grow by thousands of rows a second: one plan serves arrays of any
        // length, and planning over many partitions costs more than running. For the same reason each element is looked up by itself
        // (lateral, offset 0).
        Add(
            batch,
            """
            select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_hashjoin', 'off', true),
              set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true)
            """);
        // Before the lock: the commit before this one works on meanwhile. In order of key, so that two that hold the same messages never
        // wait for each other; who holds the lock has noted its messages and waits for nobody.
        Add(
            batch,
            "insert into message (workspace_id, key, received_at) select $1, key, $2 from unnest($3) as m(key) on conflict do nothing returning key",
            Bulk.Value(workspace), Bulk.Value(tx.Now), Bulk.Array(NpgsqlDbType.Uuid, keyed.Keys.Order().ToArray()));
        Add(batch, $"select {LeadStore.TakeLock}", Bulk.Value(workspace.ToString()));
        Add(batch, VisitStore.ByDevice, Bulk.Value(workspace), devices);
        Add(batch, LeadStore.ByKey, Bulk.Value(workspace), kinds, values);
        Add(
            batch,
            $"""
            select {LeadStore.Columns} from lead
            where workspace_id = $1 and erase_time is null and id = any(array(
              select i.lead_id from unnest($2, $3) as k(kind, value)
              cross join lateral (select lead_id from lead_identity where workspace_id = $1 and kind = k.kind and value = k.value offset 0) i
              union
              select v.lead_id from unnest($4) as d(id)
              cross join lateral (select lead_id from visitor where workspace_id = $1 and anonymous_id = d.id offset 0) v
              where v.lead_id is not null))
            """,
            Bulk.Value(workspace), Same(kinds), Same(values), Same(devices));
        Add(batch, RollupStore.HeldZone, Bulk.Value(workspace));
    }

    /// <summary>Reads the results of these statements to their end.</summary>
    public static async Task<CommitReads> Read(NpgsqlDataReader results, CancellationToken ct)
    {
        await using (results)
        {
            await results.NextResultAsync(ct);
            var added = new HashSet<Guid>();
            while (await results.ReadAsync(ct))
            {
                added.Add(results.GetGuid(0));
            }

            await results.NextResultAsync(ct);
            await results.NextResultAsync(ct);
            var visitors = await VisitStore.ReadVisitors(results, ct);
            await results.NextResultAsync(ct);
            var owners = new Dictionary<IdentityKey, Guid>();
            while (await results.ReadAsync(ct))
            {
                owners.Add(new(results.GetString(0), results.GetString(1)), results.GetGuid(2));
            }

            await results.NextResultAsync(ct);
            var leads = new Dictionary<Guid, Lead>();
            var parse = results.GetRowParser<LeadStore.StoredLead>();
            while (await results.ReadAsync(ct))
            {
                var lead = parse(results).ToLead();
                leads.Add(lead.Id, lead);
            }

            await results.NextResultAsync(ct);
            return new(added, visitors, owners, leads, await results.ReadAsync(ct) ? results.GetString(0) : null);
        }
    }

    private static void Add(NpgsqlBatch batch, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        batch.BatchCommands.Add(command);
    }

    // A parameter belongs to one statement.
    private static NpgsqlParameter Same(NpgsqlParameter parameter) =>
        new() { Value = parameter.Value, NpgsqlDbType = parameter.NpgsqlDbType };
}
