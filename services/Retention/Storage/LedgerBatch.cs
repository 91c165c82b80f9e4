using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.Storage;

/// <summary>
/// Appends entries of one or many customers in a few statements. An entry is put in its place in time: what comes after it is worked out
/// again, and nothing else is read, so that the cost of an entry does not grow with the ledger.
/// </summary>
internal static class LedgerBatch
{
    private const string Columns = """
        id, lead_id, external_id, start_time, mrr, total_revenue, churned, churn_time, churn_reason, churn_voluntary, reactivate_time, renewal_date,
        term_months, version
        """;

    /// <summary>The customers, locked in order of their ids until the end of the transaction.</summary>
    public static async Task<LockedCustomers> Lock(Transaction<RetentionDbContext> tx, Guid[] ids, string[] externalIds) => new(
        (await tx.Connection.QueryAsync<LedgerCustomer>(new CommandDefinition(
            $"""
            select {Columns} from customer
            where workspace_id = @workspace and (id = any(@ids) or external_id = any(@externalIds)) order by id for update
            """,
            new { workspace = tx.WorkspaceId, ids, externalIds }, cancellationToken: tx.CancellationToken))).AsList());

    /// <summary>One customer, locked; null when there is none.</summary>
    public static Task<LedgerCustomer?> Lock(
        Transaction<RetentionDbContext> tx, Guid id) => tx.Connection.QuerySingleOrDefaultAsync<LedgerCustomer>(
        new CommandDefinition(
            $"select {Columns} from customer where workspace_id = @workspace and id = @id for update",
            new { workspace = tx.WorkspaceId, id }, cancellationToken: tx.CancellationToken));

    /// <summary>Those of the external ids that entries have already.</summary>
    public static async Task<HashSet<string>> Known(Transaction<RetentionDbContext> tx, string[] externalIds) => new(
        await tx.Connection.QueryAsync<string>(new CommandDefinition(
            "select external_id from revenue where workspace_id = @workspace and external_id = any(@externalIds)",
            new { workspace = tx.WorkspaceId, externalIds }, cancellationToken: tx.CancellationToken)),
        StringComparer.Ordinal);

    /// <summary>Writes the entries, what they change of their customers and of later entries, and publishes them.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="entries">The entries; at one instant the earlier counts first.</param>
    /// <param name="toldLater">The other services hear of them in portions afterwards.</param>
    /// <returns>The entries in their order, with what became of them.</returns>
    public static async Task<IReadOnlyList<PlacedEntry>> Append(
        Transaction<RetentionDbContext> tx, IReadOnlyList<NewEntry> entries, bool toldLater = false)
    {
        if (entries.Count == 0)
        {
            return [];
        }

        // In the order of the caller: of entries at one instant the lower id counts first.
        var ids = entries.Select(_ => tx.NewId()).Order().ToArray();
        var added = entries.Select((entry, index) => new PlacedEntry(
            entry.Customer, ids[index], entry.Type, entry.Monthly, entry.Time, entry.ReversesId is not null, 0, entry)).ToArray();
        var later = await Later(tx, entries);
        Settle(added, later);
        var versions = RevenueEvents.Number(added);
        if (toldLater)
        {
            RevenueEvents.Note(tx, added, versions);
        }
        else
        {
            RevenueEvents.Publish(tx, added, versions);
        }

        LedgerWriter.Write(
            tx, added, [.. later.Where(entry => entry.Delta != entry.KnownDelta)],
            [.. added.Select(entry => entry.New!.ReversesId).OfType<Guid>()]);
        await tx.Flush();
        RetentionTelemetry.RevenueAppended.Add(added.Length);
        return added;
    }

    /// <summary>Works a customer's whole ledger out again, after entries were moved to it.</summary>
    public static async Task Replay(Transaction<RetentionDbContext> tx, LedgerCustomer customer)
    {
        var lines = await Query(
            tx, new Dictionary<Guid, LedgerCustomer> { [customer.Id] = customer },
            $"select {LineColumns} from revenue r where r.workspace_id = @workspace and r.customer_id = @id",
            new { workspace = tx.WorkspaceId, id = customer.Id });
        customer.State = LedgerReplay.Run(LedgerState.Empty, lines);
        customer.TotalRevenue = await tx.Connection.ExecuteScalarAsync<decimal>(
            "select coalesce(sum(base_amount), 0) from revenue where workspace_id = @workspace and customer_id = @id and type in ('New', 'Upsell', 'CrossSell', 'Renewal')",
            new { workspace = tx.WorkspaceId, id = customer.Id });
        LedgerWriter.Write(tx, [], [.. lines.Where(entry => entry.Delta != entry.KnownDelta)], []);
        LedgerWriter.Update(tx, [customer]);
        await tx.Flush();
    }

    private const string LineColumns =
        "r.id, r.customer_id, r.type, r.monthly, r.occur_time, r.mrr_delta, r.reversed or r.reverses_id is not null as is_void";

    private static void Settle(PlacedEntry[] added, List<PlacedEntry> later)
    {
        var reversed = added.Select(entry => entry.New!.ReversesId).OfType<Guid>().ToHashSet();
        foreach (var ledger in added.Concat(later).GroupBy(entry => entry.Customer))
        {
            var customer = ledger.Key;
            var before = customer.State with { Mrr = customer.Mrr - ledger.Sum(entry => entry.KnownDelta) };
            foreach (var entry in ledger.Where(entry => reversed.Contains(entry.Id)))
            {
                entry.IsVoid = true;
            }

            customer.State = LedgerReplay.Run(before, ledger);
            foreach (var entry in ledger.Where(entry => entry.New is not null).OrderBy(entry => entry.Time))
            {
                Take(customer, entry.New!);
            }
        }
    }

    private static void Take(LedgerCustomer customer, NewEntry entry)
    {
        customer.TotalRevenue += entry.Type.IsSale() ? entry.BaseAmount : 0;
        if (entry.Type == RevenueType.Churn && customer.ChurnTime == entry.Time)
        {
            (customer.ChurnReason, customer.ChurnVoluntary) = (entry.Reason, entry.Voluntary);
        }
        else if (entry is { Type: RevenueType.Renewal, ReversesId: null } && customer is { RenewalDate: { } due, TermMonths: > 0 })
        {
            customer.RenewalDate = CustomerLifecycle.Renewed(due, customer.TermMonths, DateOnly.FromDateTime(entry.Time.UtcDateTime));
        }
    }

    /// <summary>
    /// Entries at or after the first new one of their customer. Index (workspace_id, customer_id, occur_time), once for each customer:
    /// offset 0 keeps Postgres from reading the whole ledger instead, which it would do for some hundred customers of a ledger that is
    /// small.
    /// </summary>
    private static Task<List<PlacedEntry>> Later(Transaction<RetentionDbContext> tx, IReadOnlyList<NewEntry> entries)
    {
        var first = entries.GroupBy(entry => entry.Customer).ToDictionary(group => group.Key, group => group.Min(entry => entry.Time));
        return Query(
            tx, first.Keys.ToDictionary(customer => customer.Id),
            $"""
            select r.* from unnest(@ids, @times) as n(id, first_time)
            cross join lateral (
              select {LineColumns} from revenue r where r.workspace_id = @workspace and r.customer_id = n.id and r.occur_time >= n.first_time offset 0) r
            """,
            new { workspace = tx.WorkspaceId, ids = first.Keys.Select(customer => customer.Id).ToArray(), times = first.Values.ToArray() });
    }

    private static async Task<List<PlacedEntry>> Query(
        Transaction<RetentionDbContext> tx, Dictionary<Guid, LedgerCustomer> customers, string sql, object parameters) =>
        [.. (await tx.Connection.QueryAsync<Line>(new CommandDefinition(sql, parameters, cancellationToken: tx.CancellationToken)))
            .Select(row => new PlacedEntry(
                customers[row.CustomerId], row.Id, Enum.Parse<RevenueType>(row.Type), row.Monthly, row.OccurTime,
                row.IsVoid, row.MrrDelta, null))];

    private sealed class Line
    {
        public Guid Id { get; init; }

        public Guid CustomerId { get; init; }

        public string Type { get; init; } = "";

        public decimal Monthly { get; init; }

        public DateTimeOffset OccurTime { get; init; }

        public decimal MrrDelta { get; init; }

        public bool IsVoid { get; init; }
    }
}
