using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.KeepLedger;

/// <summary>Takes an entry back, and writes what it should have been.</summary>
internal sealed record CorrectRevenueCommand(
    Guid Id, string Reason, RevenueCorrection? Replacement, Kernel.Money? Amount, DateTimeOffset? Time)
{
    public static Result<CorrectRevenueCommand> Parse(CorrectRevenueRequest request, DateTimeOffset now)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Reason, "reason");
        Kernel.Money? amount = null;
        DateTimeOffset? time = null;
        if (request.Replacement is { } replacement)
        {
            violations.Require(
                replacement.Type is >= Revenue.Types.Type.Unspecified and <= Revenue.Types.Type.Contraction, "replacement.type",
                "replacement.type must be NEW, UPSELL, CROSS_SELL, RENEWAL or CONTRACTION.");
            if (replacement.Amount is not null && violations.RequireMoney(replacement.Amount, "replacement.amount", out var money))
            {
                violations.RequirePositive(money, "replacement.amount");
                amount = money;
            }

            time = replacement.OccurTime is null ? null : violations.TimeOrNow(replacement.OccurTime, now, "replacement.occurTime");
        }

        return violations.ToError() is { } error ? error : new CorrectRevenueCommand(id, request.Reason, request.Replacement, amount, time);
    }

    public async Task<Result<CorrectRevenueResponse>> Run(Transaction<RetentionDbContext> tx, Caller caller)
    {
        if (await CustomerLedger.Find(tx, Id) is not { } seen)
        {
            return Error.NotFound("Revenue", Id);
        }

        // Read again under the customer's lock: a merge may have moved it, another correction may have been first.
        var customer = await LedgerBatch.Lock(tx, seen.CustomerId);
        var entry = (await CustomerLedger.Find(tx, Id))!;
        if (customer is null || entry.CustomerId != customer.Id)
        {
            return Error.Aborted("The customer was merged at the same moment; try again.");
        }

        if (entry.Type is RevenueType.Churn or RevenueType.Reactivation)
        {
            return Error.Precondition($"A {Names.Of(entry.Type)} is not corrected: reactivate or churn the customer at the right time.");
        }

        if (entry.Reversed || entry.ReversesId is not null)
        {
            return Error.Precondition(entry.Reversed ? $"Entry {Id} was taken back already." : $"Entry {Id} takes another back.");
        }

        var entries = new List<NewEntry>
        {
            new(customer, entry.Type, new(entry.CurrencyCode, -entry.Amount), -entry.BaseAmount, entry.Recurrence, entry.OccurTime, null)
            {
                ReversesId = Id,
                Reason = Reason
            },
        };
        if (Replacement is not null)
        {
            var (amount, time) = (Amount ?? new Kernel.Money(entry.CurrencyCode, entry.Amount), Time ?? entry.OccurTime);
            if (!(await new CurrencyRates(tx, caller.CurrencyCode, caller.TimeZone).ConvertOne(amount, time, "replacement.amount"))
                .TryGet(out var converted, out var unknown))
            {
                return unknown;
            }

            var type = Replacement.Type == Revenue.Types.Type.Unspecified ? entry.Type : (RevenueType)(int)Replacement.Type;
            var recurrence = Replacement.Recurrence == Revenue.Types.Recurrence.Unspecified
                ? entry.Recurrence
                : (Recurrence)(int)Replacement.Recurrence;
            entries.Add(new(customer, type, amount, converted, recurrence, time, null)
            {
                Reason = Reason,
                Proration = entry is { ProrationStart: { } start, ProrationEnd: { } end } && recurrence == entry.Recurrence
                    ? (start, end)
                    : null,
            });
        }

        var added = await LedgerBatch.Append(tx, entries);
        var response = new CorrectRevenueResponse { Reversal = LedgerQueries.ToProto(added[0], tx.Now, caller.CurrencyCode) };
        if (added.Count > 1)
        {
            response.Replacement = LedgerQueries.ToProto(added[1], tx.Now, caller.CurrencyCode);
        }

        return response;
    }
}
