using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Features.ImportCustomers;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ImportRevenue;

/// <summary>Ledger entries by external id; one that is there stays as it is, for the ledger is append-only.</summary>
internal static class RevenueImport
{
    private sealed record Command(
        string? CustomerExternalId, Guid? CustomerId, string ExternalId, RevenueType Type, Kernel.Money Amount, Recurrence Recurrence, DateTimeOffset? Time);

    public static Task<Result<ImportResponse>> Run(
        UnitOfWork<RetentionDbContext> work, IAsyncStreamReader<ImportChunk> stream, Caller caller, TimeProvider time, RetentionOptions options, CancellationToken ct) =>
        ImportBatches.Run(work, stream, caller, "revenue", options.ImportBatchSize, row => Parse(row, time.GetUtcNow(), caller.CurrencyCode), Apply, ct);

    private static Result<Command> Parse(ImportRow row, DateTimeOffset now, string currencyCode)
    {
        var violations = new Violations();
        violations.Require(row["customerExternalId"] is not null || row["customerId"] is not null, "customerExternalId", "customerExternalId or customerId is required.");
        var customerId = row["customerId"] is { } text && violations.RequireId(text, "customerId", out var id) ? id : (Guid?)null;
        violations.RequireText(row["externalId"], "externalId");
        var knownType = Names.TryParse(row["type"], out Revenue.Types.Type type) && type is >= Revenue.Types.Type.New and <= Revenue.Types.Type.Contraction;
        violations.Require(knownType, "type", "type must be NEW, UPSELL, CROSS_SELL, RENEWAL or CONTRACTION.");
        var recurrence = Revenue.Types.Recurrence.OneOff;
        violations.Require(
            row["recurrence"] is null || Names.TryParse(row["recurrence"], out recurrence), "recurrence", $"recurrence must be one of {Names.Known<Revenue.Types.Recurrence>()}.");
        if (violations.RequireMoney(row["currency"] ?? currencyCode, row["amount"], "amount", out var amount))
        {
            violations.RequireSale(amount, currencyCode, "amount");
        }

        var time = CustomerImport.Time(violations, row["occurTime"], "occurTime", now);
        return violations.ToError() is { } error
            ? error
            : new Command(row["customerExternalId"], customerId, row["externalId"]!, (RevenueType)(int)type, amount, (Recurrence)(int)recurrence, time);
    }

    private static async Task Apply(Transaction<RetentionDbContext> tx, IReadOnlyList<(int Line, Command Command)> rows, ImportTally tally)
    {
        var customers = await LedgerBatch.Lock(
            tx, [.. rows.Select(row => row.Command.CustomerId).OfType<Guid>()], [.. rows.Select(row => row.Command).Where(one => one.CustomerId is null).Select(one => one.CustomerExternalId!)]);
        // Read after the locks: whoever imports the same entries has ended by now.
        var known = await LedgerBatch.Known(tx, [.. rows.Select(row => row.Command.ExternalId)]);
        var entries = new List<NewEntry>(rows.Count);
        foreach (var (line, command) in rows)
        {
            if (customers.Find(command.CustomerId, command.CustomerExternalId) is not { } customer)
            {
                tally.Reject(line, [Error.NotFound("Customer", command.CustomerExternalId ?? command.CustomerId.ToString()!).Message]);
            }
            else if (!known.Add(command.ExternalId))
            {
                tally.Count(RowOutcome.Unchanged);
            }
            else
            {
                entries.Add(new(customer, command.Type, command.Amount, command.Recurrence, command.Time ?? tx.Now, command.ExternalId));
                tally.Count(RowOutcome.Created);
            }
        }

        await LedgerBatch.Append(tx, entries);
    }
}
