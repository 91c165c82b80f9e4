using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Retention.Storage;

/// <summary>The statements that write a ledger; they go to the server together.</summary>
internal static class LedgerWriter
{
    /// <param name="tx">The transaction.</param>
    /// <param name="added">New entries; their customers are updated.</param>
    /// <param name="moved">Entries whose change of MRR is another now.</param>
    /// <param name="reversed">Entries that are taken back.</param>
    public static void Write(
        Transaction<RetentionDbContext> tx, IReadOnlyCollection<PlacedEntry> added, IReadOnlyCollection<PlacedEntry> moved, Guid[] reversed)
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
                BulkColumn.From("base_amount", NpgsqlDbType.Numeric, added, entry => entry.BaseAmount),
                BulkColumn.From("monthly", NpgsqlDbType.Numeric, added, entry => entry.Monthly),
                BulkColumn.From("recurrence", NpgsqlDbType.Text, added, entry => entry.New!.Recurrence.ToString()),
                BulkColumn.From("occur_time", NpgsqlDbType.TimestampTz, added, entry => entry.Time),
                BulkColumn.From("external_id", NpgsqlDbType.Text, added, entry => entry.New!.ExternalId),
                BulkColumn.From("mrr_delta", NpgsqlDbType.Numeric, added, entry => entry.Delta),
                BulkColumn.From("proration_start", NpgsqlDbType.Date, added, entry => entry.New!.Proration?.Start),
                BulkColumn.From("proration_end", NpgsqlDbType.Date, added, entry => entry.New!.Proration?.End),
                BulkColumn.From("reverses_id", NpgsqlDbType.Uuid, added, entry => entry.New!.ReversesId),
                BulkColumn.From("reversed", NpgsqlDbType.Boolean, added, _ => false),
                BulkColumn.From("reason", NpgsqlDbType.Text, added, entry => entry.New!.Reason),
                BulkColumn.From(
                    "voluntary", NpgsqlDbType.Boolean, added,
                    entry => entry.Type == Domain.RevenueType.Churn ? entry.New!.Voluntary : (bool?)null),
                BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, added, _ => tx.Now),
            ]);
        Bulk.AddUpdate(
            tx.Closing, "revenue", ["workspace_id", "id"],
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, moved, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, moved, entry => entry.Id),
                BulkColumn.From("mrr_delta", NpgsqlDbType.Numeric, moved, entry => entry.Delta),
            ]);
        Bulk.AddUpdate(
            tx.Closing, "revenue", ["workspace_id", "id"],
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, reversed, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, reversed, id => id),
                BulkColumn.From("reversed", NpgsqlDbType.Boolean, reversed, _ => true),
            ]);
        Update(tx, [.. added.Select(entry => entry.Customer).Distinct()]);
    }

    /// <summary>What the ledger makes of its customers; their months are counted anew afterwards.</summary>
    public static void Update(Transaction<RetentionDbContext> tx, IReadOnlyCollection<LedgerCustomer> customers)
    {
        Bulk.AddUpdate(tx.Closing, "customer", ["workspace_id", "id"], Columns(tx, customers));
        RollupMarks.Add(tx, customers.Select(one => one.Id));
    }

    private static BulkColumn[] Columns(Transaction<RetentionDbContext> tx, IReadOnlyCollection<LedgerCustomer> customers) =>
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, customers, _ => tx.WorkspaceId),
            BulkColumn.From("id", NpgsqlDbType.Uuid, customers, one => one.Id),
            BulkColumn.From("mrr", NpgsqlDbType.Numeric, customers, one => one.Mrr),
            BulkColumn.From("total_revenue", NpgsqlDbType.Numeric, customers, one => one.TotalRevenue),
            BulkColumn.From("churned", NpgsqlDbType.Boolean, customers, one => one.Churned),
            BulkColumn.From("churn_time", NpgsqlDbType.TimestampTz, customers, one => one.ChurnTime),
            BulkColumn.From("churn_reason", NpgsqlDbType.Text, customers, one => one.ChurnReason),
            BulkColumn.From("churn_voluntary", NpgsqlDbType.Boolean, customers, one => one.ChurnVoluntary),
            BulkColumn.From("reactivate_time", NpgsqlDbType.TimestampTz, customers, one => one.ReactivateTime),
            BulkColumn.From("renewal_date", NpgsqlDbType.Date, customers, one => one.RenewalDate),
            BulkColumn.From("version", NpgsqlDbType.Bigint, customers, one => one.Version),
        ];
}
