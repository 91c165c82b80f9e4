using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Retention.Storage;

/// <summary>
/// For transactions that give a statement thousands of keys. A plan made once for all takes an array for ten keys and a table for as large
/// as it was then: an import into an empty ledger would go on reading it whole. To plan anew costs milliseconds, which thousands share.
/// </summary>
internal static class FreshPlans
{
    /// <summary>Has each statement planned for what it is given, until the transaction ends.</summary>
    public static Task Use(Transaction<RetentionDbContext> tx) =>
        tx.Connection.ExecuteAsync(
            new CommandDefinition("set local plan_cache_mode = force_custom_plan", cancellationToken: tx.CancellationToken));
}
