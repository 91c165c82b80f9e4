using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ManageCustomers;

/// <summary>Makes a customer by hand.</summary>
internal sealed record CreateCustomerCommand(
    Guid? LeadId, string? ExternalId, string DisplayName, DateTimeOffset StartTime, DateOnly? RenewalDate, string Segment, string Plan,
    string Owner, DateOnly? ContractStart, int TermMonths)
{
    public static Result<CreateCustomerCommand> Parse(CreateCustomerRequest request, DateTimeOffset now)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        var leadId = request.LeadId.Length > 0 && violations.RequireId(request.LeadId, "leadId", out var id) ? id : (Guid?)null;
        violations.LimitText(request.ExternalId, "externalId");
        violations.LimitText(request.Segment, "segment");
        violations.LimitText(request.Plan, "plan");
        var start = violations.TimeOrNow(request.StartTime, now, "startTime");
        var renewal = violations.OptionalDate(request.RenewalDate, "renewalDate");
        violations.LimitText(request.Owner, "owner");
        var contract = violations.OptionalDate(request.ContractStart, "contractStart");
        violations.CheckTerm(request.TermMonths, "termMonths");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        renewal ??= contract is { } begin && request.TermMonths > 0
            ? CustomerLifecycle.RenewalAfter(begin, request.TermMonths, DateOnly.FromDateTime(now.UtcDateTime))
            : null;
        return new CreateCustomerCommand(
            leadId, request.ExternalId.Length > 0 ? request.ExternalId : null, request.DisplayName, start, renewal, request.Segment,
            request.Plan, request.Owner, contract, request.TermMonths);
    }

    public async Task<Result<Customer>> Run(Transaction<RetentionDbContext> tx, string currencyCode)
    {
        // Twins that race meet at the unique index: the second waits there and is told.
        var customers = tx.Db.Customers.Where(row => row.WorkspaceId == tx.WorkspaceId);
        if (ExternalId is not null && await customers.AnyAsync(row => row.ExternalId == ExternalId, tx.CancellationToken))
        {
            return Error.AlreadyExists($"A customer with the external id {ExternalId} exists already.");
        }

        if (LeadId is { } leadId && await customers.AnyAsync(row => row.LeadId == leadId, tx.CancellationToken))
        {
            return Error.AlreadyExists($"Lead {leadId} has a customer already.");
        }

        var row = new CustomerRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            LeadId = LeadId,
            ExternalId = ExternalId,
            DisplayName = DisplayName,
            StartTime = StartTime,
            RenewalDate = RenewalDate,
            Segment = Segment,
            Plan = Plan,
            Owner = Owner,
            ContractStart = ContractStart,
            TermMonths = TermMonths,
            RiskDueTime = tx.Now,
        };
        tx.Db.Customers.Add(row);
        try
        {
            await tx.Db.SaveChangesAsync(tx.CancellationToken);
        }
        catch (DbUpdateException exception)
            when (exception.InnerException is Npgsql.PostgresException { SqlState: Npgsql.PostgresErrorCodes.UniqueViolation })
        {
            return Error.AlreadyExists("A customer with this lead or external id was made at the same moment.");
        }

        RollupMarks.Add(tx, [row.Id]);
        await tx.Connection.ExecuteAsync(
            "update referral set converted = true where workspace_id = @workspaceId and referred_lead_id = @LeadId and not converted",
            new { workspaceId = tx.WorkspaceId, LeadId });
        return row.ToProto(currencyCode, tx.Now);
    }
}
