using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ScoreRisk;

/// <summary>Risk of customers, its signals and its weights.</summary>
public sealed class RiskGrpcService(UnitOfWork<RetentionDbContext> work, TimeProvider time) : RiskService.RiskServiceBase
{
    private static readonly ListFields SignalFields = new ListFields("id", "s.id").Sortable("occurTime", "s.time", FieldKind.Time);

    public override async Task<CustomerRisk> GetCustomerRisk(GetCustomerRiskRequest request, ServerCallContext context)
    {
        var id = Id(request.CustomerId, "customerId");
        return (await work.Read<Result<CustomerRisk>>(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var (model, version) = await RiskModels.InForce(tx);
                if ((await CustomerRisks.Read(tx, model, "c.id = @id", id, 1, locks: false)).SingleOrDefault() is not { } customer)
                {
                    return await tx.Db.Customers.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id, tx.CancellationToken)
                        ? Error.Precondition($"Customer {id} has left.")
                        : Error.NotFound("Customer", id);
                }

                return new CustomerRisk
                {
                    CustomerId = id.ToString(),
                    Score = (double)customer.Score,
                    AtRisk = customer.Score >= model.Threshold,
                    ModelVersion = version,
                    AsOf = tx.Now.ToProto(),
                    Contributions = { customer.Contributions.Select(part => ToProto(part, model)) },
                };
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<CustomerSignal> AddCustomerSignal(AddCustomerSignalRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.Require(Names.Of(request.Kind).Length > 0, "kind", $"kind must be one of {Names.Known<CustomerSignal.Types.Kind>()}.");
        violations.Require(
            !request.HasQuantity || request.Quantity is > 0 and <= 1e9, "quantity", "quantity must be above 0 and at most 1,000,000,000.");
        violations.LimitText(request.Name, "name");
        violations.LimitText(request.ExternalId, "externalId");
        var occurTime = violations.TimeOrNow(request.OccurTime, time.GetUtcNow(), "occurTime");
        violations.OrThrow();
        return (await work.RunIdempotent<CustomerSignal>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await CustomerLedger.Lock(tx, customerId) is not { } customer)
                {
                    return Error.NotFound("Customer", customerId);
                }

                var externalId = request.ExternalId.Length > 0 ? request.ExternalId : null;
                if (externalId is not null && await tx.Db.Signals.SingleOrDefaultAsync(
                    row => row.WorkspaceId == tx.WorkspaceId && row.CustomerId == customerId && row.ExternalId == externalId,
                    tx.CancellationToken) is { } known)
                {
                    return ToProto(known);
                }

                var signal = new CustomerSignalRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = tx.NewId(),
                    CustomerId = customerId,
                    Kind = Names.Of(request.Kind),
                    Quantity = request.HasQuantity ? (decimal)request.Quantity : 1,
                    Name = request.Name,
                    Time = occurTime,
                    ExternalId = externalId,
                };
                tx.Db.Signals.Add(signal);
                await tx.Db.SaveChangesAsync(tx.CancellationToken);
                if (!customer.Churned)
                {
                    var (model, version) = await RiskModels.InForce(tx);
                    await CustomerRisks.Keep(
                        tx, model, version, await CustomerRisks.Read(tx, model, "c.id = @id", customerId, 1, locks: false));
                }

                return ToProto(signal);
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ListCustomerSignalsResponse> ListCustomerSignals(
        ListCustomerSignalsRequest request, ServerCallContext context)
    {
        var customerId = Id(request.CustomerId, "customerId");
        var query = ListQuery.Parse(
            SignalFields, request.PageSize, request.PageToken, null, request.OrderBy, "occurTime desc", request.CustomerId).OrThrow();
        return await work.Read(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(tx, "customer_signal s", "s.id", query, "s.customer_id = @parentId", customerId);
                var rows = await tx.Db.Signals.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
                    .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
                return new ListCustomerSignalsResponse { Signals = { ids.Select(id => ToProto(rows[id])) }, NextPageToken = next };
            },
            context.CancellationToken);
    }

    public override async Task<RiskModel> GetRiskModel(GetRiskModelRequest request, ServerCallContext context) =>
        (await work.Read(context.Caller().WorkspaceId, tx => RiskModels.Find(tx, request.Version), context.CancellationToken)).OrThrow();

    public override async Task<RiskModel> PutRiskModel(PutRiskModelRequest request, ServerCallContext context)
    {
        var model = RiskModels.Parse(request.Model).OrThrow();
        return (await work.RunIdempotent<RiskModel>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx => await RiskModels.Put(tx, model),
            context.CancellationToken)).OrThrow();
    }

    public override Task<SignalRules> GetSignalRules(GetSignalRulesRequest request, ServerCallContext context) =>
        work.Read(context.Caller().WorkspaceId, SignalRuleBook.Read, context.CancellationToken);

    public override async Task<SignalRules> PutSignalRules(PutSignalRulesRequest request, ServerCallContext context)
    {
        var rules = SignalRuleBook.Parse(request.Rules).OrThrow();
        return (await work.RunIdempotent<SignalRules>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx => await SignalRuleBook.Put(tx, rules),
            context.CancellationToken)).OrThrow();
    }

    private static Guid Id(string text, string field)
    {
        var violations = new Violations();
        violations.RequireId(text, field, out var id);
        violations.OrThrow();
        return id;
    }

    private static RiskContribution ToProto(Domain.RiskContribution part, Domain.RiskModel model) => new()
    {
        Factor = (RiskContribution.Types.Factor)(int)part.Factor,
        Weight = (double)(part.Factor switch
        {
            Domain.RiskFactor.Usage => model.Usage,
            Domain.RiskFactor.Support => model.Support,
            Domain.RiskFactor.Nps => model.Nps,
            Domain.RiskFactor.Payment => model.Payment,
            Domain.RiskFactor.Engagement => model.Engagement,
            _ => model.Renewal,
        }),
        Share = (double)part.Share,
        Points = (double)part.Points,
        Evidence = part.Evidence,
    };

    private static CustomerSignal ToProto(CustomerSignalRow row) => new()
    {
        Id = row.Id.ToString(),
        CustomerId = row.CustomerId.ToString(),
        Kind = Names.TryParse(row.Kind, out CustomerSignal.Types.Kind kind) ? kind : default,
        Quantity = (double)row.Quantity,
        Name = row.Name,
        OccurTime = row.Time.ToProto(),
        ExternalId = row.ExternalId ?? "",
    };
}
