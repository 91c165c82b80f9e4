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
/// <param name="Added">Keys of the messages that had not come before, which are noted now; null for all.</param>
/// <param name="Visitors">Visitors of the messages' devices.</param>
/// <param name="Owners">Owners of the keys that name people.</param>
/// <param name="Leads">Those owners and the leads of the visitors.</param>
/// <param name="Zone">Zone by which counts are kept; null where they are not.</param>
internal sealed record CommitReads(
    HashSet<Guid>? Added, Dictionary<string, StoredVisitor> Visitors, Dictionary<IdentityKey, Guid> Owners,
    Dictionary<Guid, Lead> Leads, string? Zone)
{
    /// <summary>Adds the statements.</summary>
    /// <param name="batch">Batch that begins the transaction.</param>
    /// <param name="tx">The transaction.</param>
    /// <param name="keyed">The messages by key.</param>
    /// <param name="mayRepeat">
    /// Some may have come before, and are passed over. Otherwise one that has fails the transaction with a unique violation: to note
    /// without looking costs two thirds.
    /// </param>
    public static void Add(NpgsqlBatch batch, Transaction<CaptureDbContext> tx, KeyValuePair<Guid, Item>[] keyed, bool mayRepeat)
    {
        var workspace = tx.WorkspaceId;
        var devices = Bulk.Array(NpgsqlDbType.Text, keyed.Select(pair => pair.Value.Message.Device).OfType<string>()
            .Distinct(StringComparer.Ordinal).ToArray());
        var people = keyed.SelectMany(pair => pair.Value.Message.Person.Keys).Distinct().ToArray();
        var (kinds, values) = (Bulk.Array(NpgsqlDbType.Text, people.Select(key => key.Kind).ToArray()), Bulk.Array(
            NpgsqlDbType.Text, people.Select(key => key.Value).ToArray()));

        // All is looked up by key, whatever statistics say of tables that grow by thousands of rows a second: one plan serves arrays of any
        // length, and planning over many partitions costs more than running. For the same reason each element is looked up by itself
        // (lateral, offset 0).
        Add(
            batch,
            """
            select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_hashjoin', 'off', true),
              set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true), set_config('enable_memoize', 'off', true)
            """);
        // Before the lock: the commit before this one works on meanwhile. In order of key, so that two that hold the same messages never
        // wait for each other; who holds the lock has noted its messages and waits for nobody.
        Add(
            batch,
            $"insert into message (workspace_id, key, received_at) select $1, unnest($3), $2{(mayRepeat ? " on conflict do nothing returning key" : "")}",
            Bulk.Value(workspace), Bulk.Value(tx.Now), Bulk.Array(NpgsqlDbType.Uuid, keyed.Select(pair => pair.Key).Order().ToArray()));
        Add(batch, $"select {LeadStore.TakeLock}", Bulk.Value(workspace.ToString()));
        Add(batch, VisitStore.ByDevice, Bulk.Value(workspace), devices);
        Add(batch, LeadStore.ByKey, Bulk.Value(workspace), kinds, values);
        Add(batch, RollupStore.HeldZone, Bulk.Value(workspace));
    }

    /// <summary>Reads the results of these statements to their end.</summary>
    public static async Task<CommitReads> Read(NpgsqlDataReader results, bool mayRepeat, CancellationToken ct)
    {
        await using (results)
        {
            HashSet<Guid>? added = null;
            if (mayRepeat)
            {
                added = [];
                await results.NextResultAsync(ct);
                while (await results.ReadAsync(ct))
                {
                    added.Add(results.GetGuid(0));
                }
            }

            await results.NextResultAsync(ct);
            await results.NextResultAsync(ct);
            var leads = new Dictionary<Guid, Lead>();
            var visitors = await VisitStore.ReadVisitors(results, leads, ct);
            await results.NextResultAsync(ct);
            var owners = await LeadStore.ReadOwners(results, leads, ct);
            await results.NextResultAsync(ct);
            return new(added, visitors, owners, leads, await results.ReadAsync(ct) ? results.GetString(0) : null);
        }
    }

    /// <summary>A message has come before.</summary>
    public static bool IsRepetition(PostgresException exception) =>
        exception is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "message" };

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
