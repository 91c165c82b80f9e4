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
    private static readonly string TypeFault = $"type must be one of {Names.Known<Revenue.Types.Type>()}.";
    private static readonly string RecurrenceFault = $"recurrence must be one of {Names.Known<Revenue.Types.Recurrence>()}.";

    private sealed record Command(
        string? CustomerExternalId, Guid? CustomerId, string ExternalId, RevenueType Type, Kernel.Money Amount, Recurrence Recurrence,
        DateTimeOffset? Time, string? Reason, bool Voluntary);

    public static Task<Result<ImportResponse>> Run(
        UnitOfWork<RetentionDbContext> work, RevenueAnnouncer announcer, IAsyncStreamReader<ImportChunk> stream, Caller caller,
        TimeProvider time, RetentionOptions options, CancellationToken ct) =>
        ImportBatches<Command>.Run(
            work, stream, caller, "revenue", options.ImportBatchSize,
            row => Parse(row, time.GetUtcNow(), caller.TimeZone, caller.CurrencyCode),
            (tx, rows, tally) => Apply(tx, new CurrencyRates(tx, caller.CurrencyCode, caller.TimeZone), rows, tally), ct,
            () => announcer.Ring(caller.WorkspaceId));

    private static Result<Command> Parse(ImportRow row, DateTimeOffset now, TimeZoneInfo timeZone, string currencyCode)
    {
        var violations = new Violations();
        violations.Require(
            row["customerExternalId"] is not null || row["customerId"] is not null, "customerExternalId",
            "customerExternalId or customerId is required.");
        var customerId = row["customerId"] is { } text && violations.RequireId(text, "customerId", out var id) ? id : (Guid?)null;
        violations.RequireText(row["externalId"], "externalId");
        violations.Require(Names.TryParse(row["type"], out Revenue.Types.Type type), "type", TypeFault);
        var recurrence = Revenue.Types.Recurrence.OneOff;
        violations.Require(row["recurrence"] is null || Names.TryParse(row["recurrence"], out recurrence), "recurrence", RecurrenceFault);
        // A loss takes what is there; what it was follows from the ledger.
        var amount = new Kernel.Money(currencyCode, 0);
        if (type != Revenue.Types.Type.Churn
            && violations.RequireMoney(row["currency"] ?? currencyCode, row["amount"], "amount", out amount))
        {
            violations.RequirePositive(amount, "amount");
        }

        violations.LimitText(row["reason"] ?? "", "reason");
        var voluntary = true;
        violations.Require(
            row["voluntary"] is null || bool.TryParse(row["voluntary"], out voluntary), "voluntary", "voluntary must be true or false.");
        var time = CustomerImport.Time(violations, row["occurTime"], "occurTime", now, timeZone);
        return violations.ToError() is { } error
            ? error
            : new Command(
                row["customerExternalId"], customerId, row["externalId"]!, (RevenueType)(int)type, amount, (Recurrence)(int)recurrence,
                time, row["reason"], voluntary);
    }

    private static async Task Apply(
        Transaction<RetentionDbContext> tx, CurrencyRates rates, IReadOnlyList<(int Line, Command Command)> rows, ImportTally tally)
    {
        await rates.Load(rows.Select(row => (row.Command.Amount.CurrencyCode, row.Command.Time ?? tx.Now)));
        var customers = await LedgerBatch.Lock(
            tx, [.. rows.Select(row => row.Command.CustomerId).OfType<Guid>()],
            [.. rows.Select(row => row.Command).Where(one => one.CustomerId is null).Select(one => one.CustomerExternalId!)]);
        // Read after the locks: whoever imports the same entries has ended by now.
        var known = await LedgerBatch.Known(tx, [.. rows.Select(row => row.Command.ExternalId)]);
        var left = new Dictionary<LedgerCustomer, DateTimeOffset?>();
        var entries = new List<NewEntry>(rows.Count);
        foreach (var (line, command) in rows)
        {
            var time = command.Time ?? tx.Now;
            if (customers.Find(command.CustomerId, command.CustomerExternalId) is not { } customer)
            {
                tally.Reject(line, [Error.NotFound("Customer", command.CustomerExternalId ?? command.CustomerId.ToString()!).Message]);
            }
            else if (known.Contains(command.ExternalId))
            {
                tally.Count(RowOutcome.Unchanged);
            }
            else if (Refusal(left, customer, command.Type, time) is { } refusal)
            {
                tally.Reject(line, [refusal]);
            }
            else if (!rates.Convert(command.Amount, time).TryGet(out var converted, out var unknown))
            {
                tally.Reject(line, [unknown.Message]);
            }
            else
            {
                known.Add(command.ExternalId);
                entries.Add(new(customer, command.Type, command.Amount, converted, command.Recurrence, time, command.ExternalId)
                {
                    Reason = command.Reason,
                    Voluntary = command.Voluntary
                });
                tally.Count(RowOutcome.Created);
            }
        }

        await LedgerBatch.Append(tx, entries, toldLater: true);
    }

    /// <summary>
    /// Why a customer can have no such entry at that time; null: it can. Takes note of losses and returns, in the order of the file.
    /// </summary>
    private static string? Refusal(
        Dictionary<LedgerCustomer, DateTimeOffset?> left, LedgerCustomer customer, RevenueType type, DateTimeOffset time)
    {
        var since = left.TryGetValue(customer, out var noted) ? noted : customer.Churned ? customer.ChurnTime : null;
        if (type == RevenueType.Reactivation)
        {
            left[customer] = null;
            return since is null || time < since ? "The customer has not left by then; a REACTIVATION comes after a CHURN." : null;
        }

        if (since is { } churnTime && (time >= churnTime || type == RevenueType.Churn))
        {
            return $"The customer left on {churnTime:yyyy-MM-dd}; its REACTIVATION comes first.";
        }

        if (type == RevenueType.Churn)
        {
            if (time < customer.StartTime)
            {
                return "The CHURN lies before the customer's start.";
            }

            left[customer] = time;
        }

        return null;
    }
}
