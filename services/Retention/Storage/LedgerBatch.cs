using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using NpgsqlTypes;

namespace Lifecycle.Retention.Storage;

/// <summary>An entry still to be written; its customer is locked.</summary>
internal sealed record NewEntry(
    LedgerCustomer Customer, RevenueType Type, Kernel.Money Amount, Recurrence Recurrence, DateTimeOffset Time, string ExternalId);

/// <summary>What an entry changes of a customer.</summary>
internal sealed class LedgerCustomer
{
    public Guid Id { get; init; }

    public Guid? LeadId { get; init; }

    public string? ExternalId { get; init; }

    public decimal Mrr { get; set; }

    public decimal TotalRevenue { get; set; }

    public long Version { get; set; }
}

/// <summary>Customers locked for entries, by either id.</summary>
internal sealed class LockedCustomers(IReadOnlyCollection<LedgerCustomer> rows)
{
    private readonly Dictionary<Guid, LedgerCustomer> byId = rows.ToDictionary(row => row.Id);
    private readonly Dictionary<string, LedgerCustomer> byExternalId =
        rows.Where(row => row.ExternalId is not null).ToDictionary(row => row.ExternalId!, StringComparer.Ordinal);

    /// <summary>The customer of the id, or where none is given of the external id; null when there is none.</summary>
    public LedgerCustomer? Find(Guid? id, string? externalId) =>
        id is { } known ? byId.GetValueOrDefault(known) : externalId is null ? null : byExternalId.GetValueOrDefault(externalId);
}

/// <summary>
/// Appends entries of many customers in a few statements. An entry is put in its place in time: what comes after it is worked out again, and nothing else
/// is read, so that the cost of an entry does not grow with the ledger.
/// </summary>
internal static class LedgerBatch
{
    /// <summary>The customers, locked in order of their ids until the end of the transaction.</summary>
    public static async Task<LockedCustomers> Lock(Transaction<RetentionDbContext> tx, Guid[] ids, string[] externalIds) => new(
        (await tx.Connection.QueryAsync<LedgerCustomer>(new CommandDefinition(
            """
            select id, lead_id, external_id, mrr, total_revenue, version from customer
            where workspace_id = @workspace and (id = any(@ids) or external_id = any(@externalIds)) order by id for update
            """,
            new { workspace = tx.WorkspaceId, ids, externalIds }, cancellationToken: tx.CancellationToken))).AsList());

    /// <summary>Those of the external ids that entries have already.</summary>
    public static async Task<HashSet<string>> Known(Transaction<RetentionDbContext> tx, string[] externalIds) => new(
        await tx.Connection.QueryAsync<string>(new CommandDefinition(
            "select external_id from revenue where workspace_id = @workspace and external_id = any(@externalIds)",
            new { workspace = tx.WorkspaceId, externalIds }, cancellationToken: tx.CancellationToken)),
        StringComparer.Ordinal);

    /// <summary>Writes the entries, what they change of their customers and of later entries, and publishes them.</summary>
    public static async Task Append(Transaction<RetentionDbContext> tx, IReadOnlyList<NewEntry> entries)
    {
        if (entries.Count == 0)
        {
            return;
        }

        var added = entries.Select(entry => new Placed(tx.NewId(), entry.Customer, entry.Type, entry.Amount.Amount, entry.Recurrence, entry.Time, 0, entry)).ToArray();
        var later = await Later(tx, entries);
        var moved = new List<Placed>();
        foreach (var ledger in added.Concat(later).GroupBy(entry => entry.Customer))
        {
            var customer = ledger.Key;
            var current = customer.Mrr - ledger.Where(entry => entry.New is null).Sum(entry => entry.Delta);
            foreach (var entry in ledger.OrderBy(entry => entry.Time).ThenBy(entry => entry.Id))
            {
                var delta = Mrr.Delta(entry.Type, entry.Amount, entry.Recurrence, current);
                if (entry.New is null && delta != entry.Delta)
                {
                    moved.Add(entry);
                }

                entry.Delta = delta;
                current += delta;
            }

            customer.Mrr = current;
            customer.TotalRevenue += ledger.Where(entry => entry.New is not null && entry.Type.IsSale()).Sum(entry => entry.Amount);
        }

        foreach (var entry in added)
        {
            tx.Publish(new RevenueMoved(
                tx.NewId(), tx.WorkspaceId, entry.Time, ++entry.Customer.Version, entry.Customer.Id, entry.Customer.LeadId, Names.Of(entry.Type),
                new(entry.New!.Amount.CurrencyCode, entry.Amount), Names.Of(entry.Recurrence)));
        }

        Write(tx, added, moved);
        await tx.Flush();
        RetentionTelemetry.RevenueAppended.Add(added.Length);
    }

    /// <summary>Entries at or after the first new one of their customer. Index (workspace_id, customer_id, occur_time).</summary>
    private static async Task<List<Placed>> Later(Transaction<RetentionDbContext> tx, IReadOnlyList<NewEntry> entries)
    {
        var customers = entries.GroupBy(entry => entry.Customer).ToDictionary(group => group.Key.Id, group => (Customer: group.Key, First: group.Min(entry => entry.Time)));
        var rows = await tx.Connection.QueryAsync<LaterRow>(new CommandDefinition(
            """
            select r.id, r.customer_id, r.type, r.amount, r.recurrence, r.occur_time, r.mrr_delta
            from unnest(@ids, @times) as n(id, first_time)
            join revenue r on r.workspace_id = @workspace and r.customer_id = n.id and r.occur_time >= n.first_time
            """,
            new { workspace = tx.WorkspaceId, ids = customers.Keys.ToArray(), times = customers.Values.Select(one => one.First).ToArray() }, cancellationToken: tx.CancellationToken));
        return [.. rows.Select(row => new Placed(
            row.Id, customers[row.CustomerId].Customer, Enum.Parse<RevenueType>(row.Type), row.Amount, Enum.Parse<Recurrence>(row.Recurrence), row.OccurTime, row.MrrDelta, null))];
    }

    private static void Write(Transaction<RetentionDbContext> tx, Placed[] added, List<Placed> moved)
    {
        Bulk.Add(
            tx.Closing, "revenue",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, added, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, added, entry => entry.Id),
                BulkColumn.From("customer_id", NpgsqlDbType.Uuid, added, entry => entry.Customer.Id),
                BulkColumn.From("type", NpgsqlDbType.Text, added, entry => entry.Type.ToString()),
                BulkColumn.From("amount", NpgsqlDbType.Numeric, added, entry => entry.Amount),
                BulkColumn.From("currency_code", NpgsqlDbType.Text, added, entry => entry.New!.Amount.CurrencyCode),
                BulkColumn.From("recurrence", NpgsqlDbType.Text, added, entry => entry.Recurrence.ToString()),
                BulkColumn.From("occur_time", NpgsqlDbType.TimestampTz, added, entry => entry.Time),
                BulkColumn.From("external_id", NpgsqlDbType.Text, added, entry => entry.New!.ExternalId),
                BulkColumn.From("mrr_delta", NpgsqlDbType.Numeric, added, entry => entry.Delta),
            ]);
        Bulk.AddUpdate(
            tx.Closing, "revenue", ["workspace_id", "id"],
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, moved, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, moved, entry => entry.Id),
                BulkColumn.From("mrr_delta", NpgsqlDbType.Numeric, moved, entry => entry.Delta),
            ]);
        var customers = added.Select(entry => entry.Customer).Distinct().ToArray();
        Bulk.AddUpdate(
            tx.Closing, "customer", ["workspace_id", "id"],
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, customers, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, customers, one => one.Id),
                BulkColumn.From("mrr", NpgsqlDbType.Numeric, customers, one => one.Mrr),
                BulkColumn.From("total_revenue", NpgsqlDbType.Numeric, customers, one => one.TotalRevenue),
                BulkColumn.From("version", NpgsqlDbType.Bigint, customers, one => one.Version),
            ]);
    }

    /// <summary>An entry in its place; <see cref="New"/> is null for one that was there.</summary>
    private sealed class Placed(
        Guid id, LedgerCustomer customer, RevenueType type, decimal amount, Recurrence recurrence, DateTimeOffset time, decimal delta, NewEntry? added)
    {
        public Guid Id => id;

        public LedgerCustomer Customer => customer;

        public RevenueType Type => type;

        public decimal Amount => amount;

        public Recurrence Recurrence => recurrence;

        public DateTimeOffset Time => time;

        public NewEntry? New => added;

        public decimal Delta { get; set; } = delta;
    }

    private sealed class LaterRow
    {
        public Guid Id { get; init; }

        public Guid CustomerId { get; init; }

        public string Type { get; init; } = "";

        public decimal Amount { get; init; }

        public string Recurrence { get; init; } = "";

        public DateTimeOffset OccurTime { get; init; }

        public decimal MrrDelta { get; init; }
    }
}
