using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using OpportunityRow = Lifecycle.Conversion.Storage.OpportunityRow;

namespace Lifecycle.Conversion.Features.OpenOpportunity;

/// <summary>Opens a deal.</summary>
public sealed class OpenOpportunity(UnitOfWork<ConversionDbContext> work, EnsureLead.EnsureLead leads, TimeProvider time)
{
    public async Task<Result<Opportunity>> Handle(CreateOpportunityRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        Guid? leadId = request.LeadId.Length > 0 && violations.RequireId(request.LeadId, "leadId", out var lead) ? lead : null;
        Guid? pipelineId = request.PipelineId.Length > 0 && violations.RequireId(request.PipelineId, "pipelineId", out var pipeline)
            ? pipeline : null;
        OpportunityChecks.Texts(
            violations, ("externalId", request.ExternalId), ("name", request.Name), ("owner", request.Owner), ("product", request.Product),
            ("account", request.Account), ("stage", request.Stage));
        var contacts = OpportunityChecks.Contacts(violations, request.Contacts, "contacts");
        var lines = OpportunityChecks.Lines(violations, request.Lines, "lines", caller.CurrencyCode);
        var amount = OpportunityChecks.Amount(violations, request.Amount, "amount", caller.CurrencyCode)
            ?? Deals.Total(lines, caller.CurrencyCode);
        DateOnly? expected = request.ExpectedCloseDate.Length > 0
            && violations.RequireDate(request.ExpectedCloseDate, "expectedCloseDate", out var day) ? day : null;
        BackfillTime.Check(request.CreateTime.ToTime(), "createTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        foreach (var known in contacts.Select(contact => contact.LeadId).Prepend(leadId ?? Guid.Empty).Where(known => known != Guid.Empty)
            .Distinct())
        {
            if ((await leads.Handle(caller.WorkspaceId, known, ct)).Error is { } unknown)
            {
                return unknown;
            }
        }

        return await work.RunIdempotent<Opportunity>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var leadRow = leadId is { } id ? await StageLedger.Lock(tx, id) : null;
            var pipelineRow = pipelineId is { } chosen
                ? await tx.Db.Pipelines.SingleOrDefaultAsync(row => row.Id == chosen, ct)
                : await OpportunityBook.DefaultPipeline(tx);
            if (pipelineRow is null)
            {
                return Error.NotFound("Pipeline", request.PipelineId);
            }

            var steps = pipelineRow.Steps();
            if ((request.Stage.Length == 0 ? steps[0] : Pipelines.Find(steps, request.Stage)) is not { } step)
            {
                return OpportunityChecks.NoStep(request.Stage, steps);
            }

            if (request.ExternalId.Length > 0 && await OpportunityBook.HasExternalId(tx, request.ExternalId.Trim()))
            {
                return Error.AlreadyExists($"An opportunity with the external id {request.ExternalId} exists already.");
            }

            var opened = new OpportunityRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                LeadId = leadRow?.LeadId,
                ExternalId = OpportunityChecks.Text(request.ExternalId),
                Name = OpportunityChecks.Text(request.Name) ?? OpportunityRules.DefaultName(
                    request.Account, request.Product, request.ExternalId),
                Amount = amount,
                CurrencyCode = caller.CurrencyCode,
                PipelineId = pipelineRow.Id,
                Stage = step.Name,
                Owner = OpportunityChecks.Text(request.Owner),
                Product = OpportunityChecks.Text(request.Product) ?? (lines.Count > 0 ? lines[0].Product : null),
                Account = OpportunityChecks.Text(request.Account),
                CreateTime = request.CreateTime.ToTime() ?? tx.Now,
                ExpectedCloseDate = expected,
                Contacts = OpportunityHistory.Write(await OpportunityChecks.Present(tx, contacts)),
                Lines = OpportunityHistory.Write(lines),
            };
            if (Deals.Enter(step, opened.Facts()).Error is { } incomplete)
            {
                return incomplete;
            }

            await OpportunityBook.Open(tx, opened, leadRow, caller.Actor);
            return opened.ToProto();
        }, ct);
    }
}
