using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.KeepLedger;

/// <summary>Appends an entry to a customer's ledger.</summary>
internal sealed record AddRevenueCommand(Guid CustomerId, RevenueType Type, Kernel.Money Amount, Recurrence Recurrence, DateTimeOffset Time, string? ExternalId)
{
    public static Result<AddRevenueCommand> Parse(AddRevenueRequest request, DateTimeOffset now, string currencyCode)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.Require(
            request.Type is >= Revenue.Types.Type.New and <= Revenue.Types.Type.Contraction, "type", "type must be NEW, UPSELL, CROSS_SELL, RENEWAL or CONTRACTION.");
        if (violations.RequireMoney(request.Amount, "amount", out var amount))
        {
            violations.RequireSale(amount, currencyCode, "amount");
        }

        violations.LimitText(request.ExternalId, "externalId");
        var time = violations.TimeOrNow(request.OccurTime, now, "occurTime");
        var recurrence = request.Recurrence == Revenue.Types.Recurrence.Unspecified ? Recurrence.OneOff : (Recurrence)(int)request.Recurrence;
        return violations.ToError() is { } error
            ? error
            : new AddRevenueCommand(customerId, (RevenueType)(int)request.Type, amount, recurrence, time, request.ExternalId.Length > 0 ? request.ExternalId : null);
    }

    public async Task<Result<Revenue>> Run(Transaction<RetentionDbContext> tx)
    {
        if (await CustomerLedger.Lock(tx, CustomerId) is not { } customer)
        {
            return Error.NotFound("Customer", CustomerId);
        }

        if (customer.Churned && Time >= customer.ChurnTime)
        {
            return Error.Precondition($"Customer {CustomerId} left on {customer.ChurnTime:yyyy-MM-dd}; reactivate it first.");
        }

        if (ExternalId is not null && await CustomerLedger.Find(tx, ExternalId) is { } known && known.CustomerId != CustomerId)
        {
            return Error.AlreadyExists($"The external id {ExternalId} belongs to an entry of another customer.");
        }

        var entry = await CustomerLedger.Append(tx, customer, Type, Amount, Recurrence, Time, ExternalId);
        RetentionTelemetry.RevenueAppended.Add(1);
        return LedgerQueries.ToProto(entry);
    }
}
