using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.KeepLedger;

/// <summary>Appends an entry to a customer's ledger.</summary>
internal sealed record AddRevenueCommand(
    Guid CustomerId, RevenueType Type, Kernel.Money Amount, Recurrence Recurrence, DateTimeOffset Time, string? ExternalId,
    (DateOnly Start, DateOnly End)? Proration)
{
    public static Result<AddRevenueCommand> Parse(AddRevenueRequest request, DateTimeOffset now)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.Require(
            request.Type is >= Revenue.Types.Type.New and <= Revenue.Types.Type.Contraction, "type",
            "type must be NEW, UPSELL, CROSS_SELL, RENEWAL or CONTRACTION.");
        if (violations.RequireMoney(request.Amount, "amount", out var amount))
        {
            violations.RequirePositive(amount, "amount");
        }

        violations.LimitText(request.ExternalId, "externalId");
        var time = violations.TimeOrNow(request.OccurTime, now, "occurTime");
        var recurrence = request.Recurrence == Revenue.Types.Recurrence.Unspecified
            ? Recurrence.OneOff
            : (Recurrence)(int)request.Recurrence;
        var proration = ParseProration(violations, request, recurrence);
        return violations.ToError() is { } error
            ? error
            : new AddRevenueCommand(
                customerId, (RevenueType)(int)request.Type, amount, recurrence, time,
                request.ExternalId.Length > 0 ? request.ExternalId : null, proration);
    }

    public async Task<Result<Revenue>> Run(Transaction<RetentionDbContext> tx, Caller caller)
    {
        if (await LedgerBatch.Lock(tx, CustomerId) is not { } customer)
        {
            return Error.NotFound("Customer", CustomerId);
        }

        if (ExternalId is not null && await CustomerLedger.Find(tx, ExternalId) is { } known)
        {
            return known.CustomerId == CustomerId
                ? LedgerQueries.ToProto(known, caller.CurrencyCode)
                : Error.AlreadyExists($"The external id {ExternalId} belongs to an entry of another customer.");
        }

        if (Refusal(customer) is { } refusal)
        {
            return refusal;
        }

        if (!(await new CurrencyRates(tx, caller.CurrencyCode, caller.TimeZone).ConvertOne(Amount, Time))
            .TryGet(out var converted, out var unknown))
        {
            return unknown;
        }

        var added = await LedgerBatch.Append(tx, [Entry(customer, converted)]);
        return LedgerQueries.ToProto(added[0], tx.Now, caller.CurrencyCode);
    }

    /// <summary>Why the customer can have no such entry; null: it can.</summary>
    public Error? Refusal(LedgerCustomer customer) => customer.Churned && Time >= customer.ChurnTime
        ? Error.Precondition($"Customer {CustomerId} left on {customer.ChurnTime:yyyy-MM-dd}; reactivate it first.")
        : null;

    /// <summary>The entry, its amount converted.</summary>
    public NewEntry Entry(LedgerCustomer customer, decimal converted) =>
        new(customer, Type, Amount, converted, Recurrence, Time, ExternalId) { Proration = Proration };

    private static (DateOnly Start, DateOnly End)? ParseProration(Violations violations, AddRevenueRequest request, Recurrence recurrence)
    {
        if (request.ProrationStart.Length == 0 && request.ProrationEnd.Length == 0)
        {
            return null;
        }

        var fits = violations.RequireDate(request.ProrationStart, "prorationStart", out var start)
            & violations.RequireDate(request.ProrationEnd, "prorationEnd", out var end)
            & violations.Require(Mrr.Months(recurrence) > 0, "prorationStart", "prorationStart is for recurring entries.");
        return fits && violations.Require(
            start < end && start >= end.AddMonths(-Mrr.Months(recurrence)), "prorationEnd",
            "prorationEnd must be after prorationStart, by one period at most.")
                ? (start, end)
                : null;
    }
}
