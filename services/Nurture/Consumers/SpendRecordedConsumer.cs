using Lifecycle.Contracts;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Consumers;

/// <summary>Spend was imported; the newest word on a day and source counts.</summary>
internal sealed class SpendRecordedConsumer(UnitOfWork<NurtureDbContext> work) : EventConsumer<SpendRecorded, NurtureDbContext>(work)
{
    protected override Task Handle(Transaction<NurtureDbContext> tx, SpendRecorded e)
    {
        // One statement may touch a row only once; within a message the later row replaces the earlier. Rows in one order, so that no two
        // messages block each other.
        var rows = e.Rows.GroupBy(row => (row.Date, row.Source, row.Medium, row.Campaign, row.Keyword)).Select(rows => rows.Last())
            .OrderBy(row => row.Date).ThenBy(row => (row.Source, row.Medium, row.Campaign, row.Keyword)).ToList();
        return Bulk.Insert(
            tx,
            "spend",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, rows, _ => tx.WorkspaceId),
                BulkColumn.From("date", NpgsqlDbType.Date, rows, row => row.Date),
                BulkColumn.From("source", NpgsqlDbType.Text, rows, row => row.Source),
                BulkColumn.From("medium", NpgsqlDbType.Text, rows, row => row.Medium),
                BulkColumn.From("campaign", NpgsqlDbType.Text, rows, row => row.Campaign),
                BulkColumn.From("keyword", NpgsqlDbType.Text, rows, row => row.Keyword),
                BulkColumn.From("channel", NpgsqlDbType.Text, rows, row => row.Channel),
                BulkColumn.From("currency_code", NpgsqlDbType.Text, rows, row => row.Amount.CurrencyCode),
                BulkColumn.From("amount", NpgsqlDbType.Numeric, rows, row => row.Amount.Amount),
                BulkColumn.From("version", NpgsqlDbType.Bigint, rows, _ => e.Version),
            ],
            """
            on conflict (workspace_id, date, source, medium, campaign, keyword) do update
            set channel = excluded.channel, currency_code = excluded.currency_code, amount = excluded.amount, version = excluded.version
            where excluded.version >= spend.version
            """);
    }
}
