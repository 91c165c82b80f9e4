using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Retention.Storage;

/// <summary>Plans that customers had, so that what is learnt of the past is learnt from the plan of then.</summary>
internal static class PastPlans
{
    /// <summary>Keeps plans that are replaced now.</summary>
    public static void Keep(Transaction<RetentionDbContext> tx, IReadOnlyCollection<(Guid CustomerId, string Plan)> replaced) => Bulk.Add(
        tx.Closing, "past_plan",
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, replaced, _ => tx.WorkspaceId),
            BulkColumn.From("customer_id", NpgsqlDbType.Uuid, replaced, one => one.CustomerId),
            BulkColumn.From("until_time", NpgsqlDbType.TimestampTz, replaced, _ => tx.Now),
            BulkColumn.From("plan", NpgsqlDbType.Text, replaced, one => one.Plan),
        ],
        // Of two changes at one instant the first replaced what was there.
        "on conflict do nothing");
}
