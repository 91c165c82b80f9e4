using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ManageCustomers;

/// <summary>Changes what the request names.</summary>
internal sealed record UpdateCustomerCommand(Guid Id, UpdateCustomerRequest Request, DateOnly? RenewalDate, DateOnly? ContractStart)
{
    public static Result<UpdateCustomerCommand> Parse(UpdateCustomerRequest request)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        violations.LimitText(request.ExternalId, "externalId");
        violations.LimitText(request.Segment, "segment");
        violations.LimitText(request.Plan, "plan");
        var renewal = violations.OptionalDate(request.RenewalDate, "renewalDate");
        violations.LimitText(request.Owner, "owner");
        var contract = violations.OptionalDate(request.ContractStart, "contractStart");
        violations.CheckTerm(request.TermMonths, "termMonths");
        return violations.ToError() is { } error ? error : new UpdateCustomerCommand(id, request, renewal, contract);
    }

    public async Task<Result<Customer>> Run(Transaction<RetentionDbContext> tx, string currencyCode)
    {
        if (await CustomerLedger.Lock(tx, Id) is not { } row)
        {
            return Error.NotFound("Customer", Id);
        }

        var externalId = Request.ExternalId.Length > 0 ? Request.ExternalId : null;
        if (externalId is not null && await tx.Db.Customers.AnyAsync(
            other => other.WorkspaceId == tx.WorkspaceId && other.ExternalId == externalId && other.Id != Id, tx.CancellationToken))
        {
            return Error.AlreadyExists($"A customer with the external id {externalId} exists already.");
        }

        if (Request.HasPlan && Request.Plan != row.Plan)
        {
            PastPlans.Keep(tx, [(row.Id, row.Plan)]);
        }

        row.DisplayName = Request.HasDisplayName ? Request.DisplayName : row.DisplayName;
        row.ExternalId = Request.HasExternalId ? externalId : row.ExternalId;
        row.RenewalDate = Request.HasRenewalDate ? RenewalDate : row.RenewalDate;
        row.Segment = Request.HasSegment ? Request.Segment : row.Segment;
        row.Plan = Request.HasPlan ? Request.Plan : row.Plan;
        row.Owner = Request.HasOwner ? Request.Owner : row.Owner;
        row.ContractStart = Request.HasContractStart ? ContractStart : row.ContractStart;
        row.TermMonths = Request.HasTermMonths ? Request.TermMonths : row.TermMonths;
        if ((Request.HasContractStart || Request.HasTermMonths) && !Request.HasRenewalDate
            && row is { ContractStart: { } begin, TermMonths: > 0 })
        {
            row.RenewalDate = CustomerLifecycle.RenewalAfter(begin, row.TermMonths, DateOnly.FromDateTime(tx.Now.UtcDateTime));
        }

        return row.ToProto(currencyCode, tx.Now);
    }
}
