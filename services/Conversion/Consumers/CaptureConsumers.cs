using Lifecycle.Contracts;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Conversion.Consumers;

/// <summary>A person became known: the ledger begins with LEAD.</summary>
public sealed class LeadCapturedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<LeadCaptured, ConversionDbContext>(work)
{
    protected override async Task Handle(Transaction<ConversionDbContext> tx, LeadCaptured e) =>
        await LeadFacts.Capture(tx, await StageLedger.Lock(tx, e.LeadId), new LeadProfile(
            e.Version, e.Email, e.ExternalId, e.CaptureType, e.FormType, e.CreateTime, e.FirstTouch, e.Traits, e.Company));
}

/// <summary>The profile changed. It carries the whole, so it also makes known a lead whose LeadCaptured is still under way.</summary>
public sealed class LeadUpdatedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<LeadUpdated, ConversionDbContext>(work)
{
    protected override async Task Handle(Transaction<ConversionDbContext> tx, LeadUpdated e) =>
        await LeadFacts.Capture(tx, await StageLedger.Lock(tx, e.LeadId), new LeadProfile(
            e.Version, e.Email, e.ExternalId, e.CaptureType, null, e.CreateTime, e.FirstTouch, e.Traits, e.Company));
}

/// <summary>Two leads are one person.</summary>
public sealed class LeadsMergedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<LeadsMerged, ConversionDbContext>(work)
{
    protected override Task Handle(Transaction<ConversionDbContext> tx, LeadsMerged e) => LeadIdentity.Merge(tx, e);
}

/// <summary>A person is forgotten.</summary>
public sealed class LeadErasedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<LeadErased, ConversionDbContext>(work)
{
    protected override async Task Handle(Transaction<ConversionDbContext> tx, LeadErased e) =>
        await PersonErasure.Confirm(tx, e, "conversion", await LeadIdentity.Erase(tx, e.LeadId));
}

/// <summary>Spend by day and source, for cost and return.</summary>
public sealed class SpendRecordedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<SpendRecorded, ConversionDbContext>(work)
{
    protected override Task Handle(Transaction<ConversionDbContext> tx, SpendRecorded e)
    {
        // Of two rows with one key in a message the later holds; a statement must not touch a row twice.
        var rows = e.Rows.GroupBy(row => (row.Date, row.Source, row.Medium, row.Campaign, row.Keyword))
            .Select(same => same.Last()).ToList();
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
                BulkColumn.From("amount", NpgsqlDbType.Numeric, rows, row => row.Amount.Amount),
                BulkColumn.From("currency_code", NpgsqlDbType.Text, rows, row => row.Amount.CurrencyCode),
                BulkColumn.From("clicks", NpgsqlDbType.Bigint, rows, row => row.Clicks),
                BulkColumn.From("version", NpgsqlDbType.Bigint, rows, _ => e.Version),
            ],
            """
            on conflict (workspace_id, date, source, medium, campaign, keyword) do update set channel = excluded.channel, amount = excluded.amount,
              currency_code = excluded.currency_code, clicks = excluded.clicks, version = excluded.version
            where spend.version <= excluded.version
            """);
    }
}
