using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.SuggestExpansion;

/// <summary>Rules of expansion, and what becomes of what they suggest.</summary>
public sealed class ExpansionGrpcService(
    UnitOfWork<RetentionDbContext> work, ExpansionEvaluator evaluator,
    OpportunityService.OpportunityServiceClient opportunities, RpcCalls calls)
    : ExpansionService.ExpansionServiceBase
{
    private const int MaxRules = 100;

    // Whoever opens an opportunity rather waits for a busy Conversion than asks again.
    private static readonly TimeSpan OpenDeadline = TimeSpan.FromSeconds(60);

    private const string OfCustomer =
        $"from customer c {Facts.CustomerJoin} where c.workspace_id = s.workspace_id and c.id = s.customer_id";

    private static readonly ListFields Fields = new ListFields("id", "s.id")
        .Names("state", "s.state", ["OPEN", "OPENED", "DISMISSED"])
        .Names("kind", "s.kind", ["UPSELL", "CROSS_SELL"])
        .Add("customerId", "s.customer_id", FieldKind.Id)
        .Add("ruleId", "s.rule_id", FieldKind.Id)
        .Names("outcome", "s.outcome", ["WON", "LOST"])
        .Sortable("createTime", "s.create_time", FieldKind.Time)
        .Add("segment", $"(select c.segment {OfCustomer})")
        .Add("plan", $"(select c.plan {OfCustomer})")
        .Add("source", $"(select coalesce(l.source, '') {OfCustomer})")
        .Add("product", "s.product");

    public override Task<ListExpansionRulesResponse> ListExpansionRules(ListExpansionRulesRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        return work.Read(
            caller.WorkspaceId,
            async tx =>
            {
                var rows = await tx.Db.ExpansionRules.Where(row => row.WorkspaceId == tx.WorkspaceId).OrderBy(row => row.Id)
                    .ToListAsync(tx.CancellationToken);
                return new ListExpansionRulesResponse { Rules = { rows.Select(row => ToProto(row, caller.CurrencyCode)) } };
            },
            context.CancellationToken);
    }

    public override async Task<ExpansionRule> CreateExpansionRule(CreateExpansionRuleRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var (rule, violations) = (request.Rule ?? new(), new Violations());
        violations.RequireText(rule.DisplayName, "rule.displayName");
        violations.Require(
            Names.Of(rule.Kind).Length > 0, "rule.kind", $"rule.kind must be one of {Names.Known<ExpansionRule.Types.Kind>()}.");
        violations.RequireText(rule.Product, "rule.product");
        foreach (var fault in Condition.Parse(rule.Condition, ExpansionSubject.Catalog, "rule.condition").Error?.Violations ?? [])
        {
            violations.Add(fault.Field, fault.Message);
        }

        Kernel.Money? amount = null;
        if (rule.Amount is not null && violations.RequireMoney(rule.Amount, "rule.amount", out var money))
        {
            violations.RequirePositive(money, "rule.amount");
            violations.Require(
                money.CurrencyCode == caller.CurrencyCode, "rule.amount.currencyCode",
                $"rule.amount.currencyCode must be {caller.CurrencyCode}.");
            amount = money;
        }

        violations.OrThrow();
        return (await work.RunIdempotent<ExpansionRule>(
            caller.WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await tx.Db.ExpansionRules.CountAsync(one => one.WorkspaceId == tx.WorkspaceId, tx.CancellationToken) >= MaxRules)
                {
                    return Error.Precondition($"A workspace has at most {MaxRules} rules.");
                }

                var row = new ExpansionRuleRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = tx.NewId(),
                    DisplayName = rule.DisplayName,
                    Kind = Names.Of(rule.Kind),
                    Condition = rule.Condition,
                    Product = rule.Product,
                    Amount = amount?.Amount,
                    CreateTime = tx.Now,
                };
                tx.Db.ExpansionRules.Add(row);
                return ToProto(row, caller.CurrencyCode);
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> DeleteExpansionRule(DeleteExpansionRuleRequest request, ServerCallContext context)
    {
        var id = Id(request.Id);
        return (await work.RunIdempotent<Empty>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx => await tx.Db.ExpansionRules.Where(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id)
                .ExecuteDeleteAsync(tx.CancellationToken) == 1
                ? new Empty()
                : Error.NotFound("Expansion rule", id),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<EvaluateExpansionResponse> EvaluateExpansion(EvaluateExpansionRequest request, ServerCallContext context)
    {
        var (customers, created) = await evaluator.Run(context.Caller().WorkspaceId, context.CancellationToken);
        return new() { CustomerCount = customers, CreatedCount = created };
    }

    public override Task<ListExpansionSuggestionsResponse> ListExpansionSuggestions(
        ListExpansionSuggestionsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "id desc").OrThrow();
        return work.Read(
            caller.WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(tx, "expansion_suggestion s", "s.id", query);
                var rows = await tx.Db.Suggestions.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
                    .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
                return new ListExpansionSuggestionsResponse
                {
                    Suggestions = { ids.Select(id => ToProto(rows[id], caller.CurrencyCode)) },
                    NextPageToken = next
                };
            },
            context.CancellationToken);
    }

    public override async Task<ExpansionSuggestion> OpenExpansionSuggestion(
        OpenExpansionSuggestionRequest request, ServerCallContext context)
    {
        var (id, caller, ct) = (Id(request.Id), context.Caller(), context.CancellationToken);
        var (suggestion, customer) = await work.Read(
            caller.WorkspaceId,
            async tx =>
            {
                var row = await tx.Db.Suggestions.SingleOrDefaultAsync(
                    one => one.WorkspaceId == tx.WorkspaceId && one.Id == id, tx.CancellationToken);
                return (row, row is null ? null : await tx.Db.Customers.SingleOrDefaultAsync(
                    one => one.WorkspaceId == tx.WorkspaceId && one.Id == row.CustomerId, tx.CancellationToken));
            },
            ct);
        if (suggestion is null || customer is null)
        {
            throw RpcErrors.ToException(Error.NotFound("Expansion suggestion", id));
        }

        if (suggestion.State != "OPEN")
        {
            return suggestion.State == "OPENED"
                ? ToProto(suggestion, caller.CurrencyCode)
                : throw RpcErrors.ToException(Error.Precondition($"Suggestion {id} was dismissed."));
        }

        // The opportunity first: after a crash in between the next attempt finds it by its external id.
        var opportunity = await Open(suggestion, customer, caller, ct);
        return (await work.Run<ExpansionSuggestion>(
            caller.WorkspaceId,
            async tx =>
            {
                var row = await tx.Db.Suggestions.FromSql(
                    $"select * from expansion_suggestion where workspace_id = {tx.WorkspaceId} and id = {id} for update")
                    .SingleAsync(tx.CancellationToken);
                (row.State, row.OpportunityId) = ("OPENED", Guid.Parse(opportunity.Id));
                // Whoever asks again after a crash finds it perhaps decided; what is told of it later has a version.
                row.Outcome = row.OpportunityVersion == 0 && opportunity.State is not Opportunity.Types.State.Open
                    ? Names.Of(opportunity.State)
                    : row.Outcome;
                return ToProto(row, caller.CurrencyCode);
            },
            ct)).OrThrow();
    }

    public override async Task<ExpansionSuggestion> DismissExpansionSuggestion(
        DismissExpansionSuggestionRequest request, ServerCallContext context)
    {
        var (id, caller) = (Id(request.Id), context.Caller());
        var violations = new Violations();
        violations.LimitText(request.Reason, "reason");
        violations.OrThrow();
        return (await work.RunIdempotent<ExpansionSuggestion>(
            caller.WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await tx.Db.Suggestions.FromSql(
                    $"select * from expansion_suggestion where workspace_id = {tx.WorkspaceId} and id = {id} for update")
                    .SingleOrDefaultAsync(tx.CancellationToken) is not { } row)
                {
                    return Error.NotFound("Expansion suggestion", id);
                }

                if (row.State == "OPENED")
                {
                    return Error.Precondition($"Suggestion {id} was opened.");
                }

                (row.State, row.DismissReason) = ("DISMISSED", request.Reason);
                return ToProto(row, caller.CurrencyCode);
            },
            context.CancellationToken)).OrThrow();
    }

    private async Task<Opportunity> Open(ExpansionSuggestionRow suggestion, CustomerRow customer, Caller caller, CancellationToken ct)
    {
        var externalId = $"expansion:{suggestion.Id}";
        var options = calls.As(Caller.Service("retention", caller.WorkspaceId, caller.TimeZone, caller.CurrencyCode), ct, OpenDeadline);
        try
        {
            var opened = await opportunities.CreateOpportunityAsync(
                new()
                {
                    RequestId = externalId,
                    ExternalId = externalId,
                    LeadId = customer.LeadId?.ToString() ?? "",
                    Account = customer.DisplayName,
                    Name = $"{customer.DisplayName}: {suggestion.Product}",
                    Product = suggestion.Product,
                    Owner = customer.Owner,
                    Amount = suggestion.Amount is { } amount ? new Kernel.Money(caller.CurrencyCode, amount).ToProto() : null,
                },
                options);
            return await opportunities.GetOpportunityAsync(new() { Id = opened.Id }, options);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.AlreadyExists)
        {
            var found = await opportunities.ListOpportunitiesAsync(new() { Filter = $"externalId = \"{externalId}\"" }, options);
            return found.Opportunities[0];
        }
    }

    private static Guid Id(string text)
    {
        var violations = new Violations();
        violations.RequireId(text, "id", out var id);
        violations.OrThrow();
        return id;
    }

    private static ExpansionRule ToProto(ExpansionRuleRow row, string currencyCode) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        Kind = Names.TryParse(row.Kind, out ExpansionRule.Types.Kind kind) ? kind : default,
        Condition = row.Condition,
        Product = row.Product,
        Amount = row.Amount is { } amount ? new Kernel.Money(currencyCode, amount).ToProto() : null,
        CreateTime = row.CreateTime.ToProto(),
    };

    private static ExpansionSuggestion ToProto(ExpansionSuggestionRow row, string currencyCode) => new()
    {
        Id = row.Id.ToString(),
        CustomerId = row.CustomerId.ToString(),
        RuleId = row.RuleId.ToString(),
        Kind = Names.TryParse(row.Kind, out ExpansionRule.Types.Kind kind) ? kind : default,
        Product = row.Product,
        Amount = row.Amount is { } amount ? new Kernel.Money(currencyCode, amount).ToProto() : null,
        State = Names.TryParse(row.State, out ExpansionSuggestion.Types.State state) ? state : default,
        OpportunityId = row.OpportunityId?.ToString() ?? "",
        Outcome = Names.TryParse(row.Outcome, out ExpansionSuggestion.Types.Outcome outcome) ? outcome : default,
        DismissReason = row.DismissReason,
        CreateTime = row.CreateTime.ToProto(),
    };
}
