using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ManageCustomers;

/// <summary>The customer comes back, with the MRR it had or with what the request says.</summary>
internal sealed record ReactivateCustomerCommand(Guid Id, Kernel.Money? Amount, Recurrence Recurrence, DateTimeOffset Time)
{
    public static Result<ReactivateCustomerCommand> Parse(ReactivateCustomerRequest request, DateTimeOffset now)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        var time = violations.TimeOrNow(request.ReactivateTime, now, "reactivateTime");
        Kernel.Money? amount = null;
        if (request.Amount is not null && violations.RequireMoney(request.Amount, "amount", out var money))
        {
            violations.RequirePositive(money, "amount");
            amount = money;
        }

        var recurrence = request.Recurrence == Revenue.Types.Recurrence.Unspecified
            ? Recurrence.Monthly
            : (Recurrence)(int)request.Recurrence;
        return violations.ToError() is { } error ? error : new ReactivateCustomerCommand(id, amount, recurrence, time);
    }

    public async Task<Result<Customer>> Run(Transaction<RetentionDbContext> tx, Caller caller)
    {
        if (await LedgerBatch.Lock(tx, Id) is not { } row)
        {
            return Error.NotFound("Customer", Id);
        }

        if (!row.Churned)
        {
            return Error.Precondition($"Customer {Id} has not left.");
        }

        if (Time < row.ChurnTime)
        {
            return Error.Invalid("reactivateTime", $"reactivateTime lies before the loss, {row.ChurnTime:O}.");
        }

        var lost = await tx.Db.Revenue.Where(
            entry => entry.WorkspaceId == tx.WorkspaceId && entry.CustomerId == Id && entry.Type == RevenueType.Churn)
            .OrderByDescending(entry => entry.OccurTime).Select(entry => -entry.MrrDelta).FirstOrDefaultAsync(tx.CancellationToken);
        var amount = Amount ?? new Kernel.Money(caller.CurrencyCode, lost);
        if (!(await new CurrencyRates(tx, caller.CurrencyCode, caller.TimeZone).ConvertOne(amount, Time))
            .TryGet(out var converted, out var unknown))
        {
            return unknown;
        }

        await LedgerBatch.Append(
            tx, [new(row, RevenueType.Reactivation, amount, converted, Amount is null ? Recurrence.Monthly : Recurrence, Time, null)]);
        return (await CustomerQueries.Find(tx, Id))!.ToProto(caller.CurrencyCode, tx.Now);
    }
}
