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
        Guid? pipelineId = request.PipelineId.Length > 0 && violations.RequireId(request.PipelineId, "pipelineId", out var pipeline) ? pipeline : null;
        OpportunityChecks.Texts(
            violations, ("externalId", request.ExternalId), ("name", request.Name), ("owner", request.Owner), ("product", request.Product),
            ("account", request.Account), ("stage", request.Stage));
        var amount = OpportunityChecks.Amount(violations, request.Amount, "amount", caller.CurrencyCode) ?? 0;
        DateOnly? expected = request.ExpectedCloseDate.Length > 0
            && violations.RequireDate(request.ExpectedCloseDate, "expectedCloseDate", out var day) ? day : null;
        BackfillTime.Check(request.CreateTime.ToTime(), "createTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        if (leadId is { } known && (await leads.Handle(caller.WorkspaceId, known, ct)).Error is { } unknown)
        {
            return unknown;
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
                Product = OpportunityChecks.Text(request.Product),
                Account = OpportunityChecks.Text(request.Account),
                CreateTime = request.CreateTime.ToTime() ?? tx.Now,
                ExpectedCloseDate = expected,
            };
            await OpportunityBook.Open(tx, opened, leadRow, caller.Actor);
            return opened.ToProto();
        }, ct);
    }
}

/// <summary>Checks that the writes of deals share.</summary>
public static class OpportunityChecks
{
    public static void Texts(Violations violations, params ReadOnlySpan<(string Field, string Text)> texts)
    {
        foreach (var (field, text) in texts)
        {
            violations.Require(text.Length <= 500, field, $"{field} has {text.Length} characters; at most 500 are accepted.");
        }
    }

    /// <summary>An amount of at least 0 in the workspace's currency; null where none is given or it is at fault.</summary>
    public static decimal? Amount(Violations violations, Common.V1.Money? message, string field, string currencyCode)
    {
        if (message is null || !violations.RequireMoney(message, field, out var money))
        {
            return null;
        }

        var isOurs = violations.Require(
            money.CurrencyCode == currencyCode, $"{field}.currencyCode",
            $"{money.CurrencyCode} is not the workspace's currency {currencyCode}.");
        return violations.Require(money.Amount >= 0, $"{field}.amount", $"{field}.amount must be at least 0.") && isOurs ? money.Amount : null;
    }

    public static Error NoStep(string stage, IEnumerable<PipelineStep> steps) =>
        Error.Invalid("stage", $"{stage} is no stage of the pipeline; it has {string.Join(", ", steps.Select(step => step.Name))}.");

    public static string? Text(string text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    public static Opportunity ToProto(this OpportunityRow row) => new()
    {
        Id = row.Id.ToString(),
        LeadId = row.LeadId?.ToString() ?? "",
        ExternalId = row.ExternalId ?? "",
        Name = row.Name,
        Amount = new Money(row.CurrencyCode, row.Amount).ToProto(),
        PipelineId = row.PipelineId.ToString(),
        Stage = row.Stage,
        State = (Opportunity.Types.State)(int)row.State,
        Owner = row.Owner ?? "",
        Product = row.Product ?? "",
        Account = row.Account ?? "",
        CreateTime = row.CreateTime.ToProto(),
        ExpectedCloseDate = row.ExpectedCloseDate?.ToString("yyyy-MM-dd", null) ?? "",
        CloseTime = row.CloseTime.ToProto(),
        LoseReason = row.LoseReason ?? "",
        Version = row.Version,
    };
}
