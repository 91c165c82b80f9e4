using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using NpgsqlTypes;

namespace Lifecycle.Retention.Storage;

/// <summary>
/// What the other services hear of the ledger. Entries of an import are noted in its transaction and told in small portions after it: the
/// events of a million would stand in the outbox before all that happens live, and cost more than the entries. Their versions are those of
/// their writing, so that whoever hears of a later change first still knows which is which.
/// </summary>
internal static class RevenueEvents
{
    /// <summary>Entries of one portion; live events wait for no more.</summary>
    public const int Portion = 100;

    /// <summary>
    /// Gives entries, in the order of their writing, the next versions of their customers: a loss two of them, for it is told twice.
    /// </summary>
    /// <returns>The version of each.</returns>
    public static long[] Number(IReadOnlyList<PlacedEntry> entries)
    {
        var versions = new long[entries.Count];
        for (var index = 0; index < versions.Length; index++)
        {
            versions[index] = ++entries[index].Customer.Version;
            entries[index].Customer.Version += entries[index].Type == RevenueType.Churn ? 1 : 0;
        }

        return versions;
    }

    /// <summary>Tells entries with their transaction.</summary>
    public static void Publish(Transaction<RetentionDbContext> tx, IReadOnlyList<PlacedEntry> entries, long[] versions)
    {
        foreach (var (index, entry) in entries.Index())
        {
            Publish(tx, new()
            {
                CustomerId = entry.Customer.Id,
                LeadId = entry.Customer.LeadId,
                Version = versions[index],
                Type = entry.Type,
                Amount = entry.Amount,
                CurrencyCode = entry.New!.Amount.CurrencyCode,
                Recurrence = entry.New.Recurrence,
                OccurTime = entry.Time,
                Reason = entry.New.Reason,
            });
        }
    }

    /// <summary>Notes entries that are to be told later.</summary>
    public static void Note(Transaction<RetentionDbContext> tx, IReadOnlyList<PlacedEntry> entries, long[] versions)
    {
        for (var first = 0; first < entries.Count; first += Portion)
        {
            var portion = entries.Skip(first).Take(Portion);
            tx.Closing.BatchCommands.Add(new(
                "insert into revenue_announcement (workspace_id, id, revenue_ids, versions) values ($1, $2, $3, $4)")
            {
                Parameters =
                {
                    Bulk.Value(tx.WorkspaceId), Bulk.Value(tx.NewId()),
                    Bulk.Array(NpgsqlDbType.Uuid, portion.Select(entry => entry.Id).ToArray()),
                    Bulk.Array(NpgsqlDbType.Bigint, versions.AsSpan(first, Math.Min(Portion, versions.Length - first)).ToArray()),
                },
            });
        }
    }

    /// <summary>Tells the next portion that no other replica is at.</summary>
    /// <returns>Entries told; 0 when none is left.</returns>
    public static async Task<int> PublishNext(Transaction<RetentionDbContext> tx)
    {
        // What was merged meanwhile is told of the customer that lives on, never with a version that this one has yet to reach.
        var told = (await tx.Connection.QueryAsync<Told>(new CommandDefinition(
            """
            with portion as (
              delete from revenue_announcement where workspace_id = @workspace and id = (
                select id from revenue_announcement where workspace_id = @workspace order by id limit 1 for update skip locked)
              returning revenue_ids, versions)
            select r.customer_id, c.lead_id, least(n.version, c.version) as version, r.type, r.amount, r.currency_code, r.recurrence, r.occur_time, r.reason
            from portion, unnest(portion.revenue_ids, portion.versions) with ordinality as n(id, version, position)
            join revenue r on r.workspace_id = @workspace and r.id = n.id
            join customer c on c.workspace_id = @workspace and c.id = r.customer_id
            order by n.position
            """,
            new { workspace = tx.WorkspaceId }, cancellationToken: tx.CancellationToken))).AsList();
        foreach (var entry in told)
        {
            Publish(tx, entry);
        }

        return told.Count;
    }

    private static void Publish(Transaction<RetentionDbContext> tx, Told entry)
    {
        tx.Publish(new RevenueMoved(
            tx.NewId(), tx.WorkspaceId, entry.OccurTime, entry.Version, entry.CustomerId, entry.LeadId, Names.Of(entry.Type),
            new(entry.CurrencyCode, entry.Amount), Names.Of(entry.Recurrence)));
        if (entry.Type == RevenueType.Churn)
        {
            tx.Publish(new CustomerChurned(
                tx.NewId(), tx.WorkspaceId, entry.OccurTime, entry.Version + 1, entry.CustomerId, entry.LeadId, entry.Reason ?? ""));
        }
    }

    private sealed class Told
    {
        public Guid CustomerId { get; init; }

        public Guid? LeadId { get; init; }

        public long Version { get; init; }

        public RevenueType Type { get; init; }

        public decimal Amount { get; init; }

        public string CurrencyCode { get; init; } = "";

        public Recurrence Recurrence { get; init; }

        public DateTimeOffset OccurTime { get; init; }

        public string? Reason { get; init; }
    }
}
