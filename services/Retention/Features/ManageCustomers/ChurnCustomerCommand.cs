using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;

namespace Lifecycle.Retention.Features.ManageCustomers;

/// <summary>The customer leaves: an entry takes what is left of its MRR, and Conversion is told.</summary>
internal sealed record ChurnCustomerCommand(Guid Id, string Reason, DateTimeOffset Time, bool Voluntary)
{
    public static Result<ChurnCustomerCommand> Parse(ChurnCustomerRequest request, DateTimeOffset now)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Reason, "reason");
        var time = violations.TimeOrNow(request.ChurnTime, now, "churnTime");
        return violations.ToError() is { } error
            ? error
            : new ChurnCustomerCommand(id, request.Reason, time, !request.HasVoluntary || request.Voluntary);
    }

    public async Task<Result<Customer>> Run(Transaction<RetentionDbContext> tx, string currencyCode)
    {
        if (await LedgerBatch.Lock(tx, Id) is not { } row)
        {
            return Error.NotFound("Customer", Id);
        }

        if (row.Churned)
        {
            return Error.Precondition($"Customer {Id} left on {row.ChurnTime:yyyy-MM-dd} already.");
        }

        if (Time < row.StartTime)
        {
            return Error.Invalid("churnTime", $"churnTime lies before the customer's start, {row.StartTime:O}.");
        }

        await LedgerBatch.Append(
            tx, [new(row, RevenueType.Churn, new(currencyCode, 0), 0, Recurrence.Monthly, Time, null)
            {
                Reason = Reason,
                Voluntary = Voluntary
            }]);
        return (await CustomerQueries.Find(tx, Id))!.ToProto(currencyCode, tx.Now);
    }
}
