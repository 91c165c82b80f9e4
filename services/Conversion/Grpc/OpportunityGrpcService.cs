using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Features.ChangeOpportunity;
using Lifecycle.Conversion.Features.CloseOpportunity;
using Lifecycle.Conversion.Features.ImportOpportunities;
using Lifecycle.Conversion.Features.OpenOpportunity;
using Lifecycle.Conversion.Features.ReopenOpportunity;
using Lifecycle.Conversion.Features.SalesReports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Enum = System.Enum;

namespace Lifecycle.Conversion.Grpc;

/// <summary>Deals over gRPC and REST.</summary>
public sealed class OpportunityGrpcService(
    UnitOfWork<ConversionDbContext> work, OpenOpportunity open, ChangeOpportunity change, CloseOpportunity close,
    ReopenOpportunity reopen, ImportOpportunities import, OpportunityStalls stalls)
    : OpportunityService.OpportunityServiceBase
{
    private static readonly ListFields Fields = new ListFields("id", "o.id")
        .Sortable("createTime", "o.create_time", FieldKind.Time)
        .Add("closeTime", "o.close_time", FieldKind.Time)
        .Names("state", "o.state", Enum.GetValues<OpportunityState>().Select(state => state.Name()))
        .Add("stage", "o.stage")
        .Add("owner", "o.owner")
        .Add("product", "o.product")
        .Add("account", "o.account")
        .Add("name", "o.name")
        .Add("externalId", "o.external_id")
        .Add("leadId", "o.lead_id", FieldKind.Id)
        .Add("pipelineId", "o.pipeline_id", FieldKind.Id)
        .Add("amount", "o.amount", FieldKind.Number)
        .Add("stageEnterTime", "o.stage_time", FieldKind.Time)
        .Add("competitor", "o.competitor")
        .Add("expectedCloseDate", "o.expected_close_date", FieldKind.Date);

    public override async Task<ListOpportunitiesResponse> ListOpportunities(ListOpportunitiesRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Guid? leadId = request.LeadId.Length > 0 && violations.RequireId(request.LeadId, "leadId", out var lead) ? lead : null;
        violations.Require(Enum.IsDefined(request.State), "state", "state must be OPEN, WON or LOST.");
        violations.OrThrow();
        var state = request.State == Opportunity.Types.State.Unspecified ? null : request.State.ToString().ToUpperInvariant();
        var query = ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime desc",
                $"{state}/{leadId}/{request.Stalled}")
            .OrThrow();
        var ct = context.CancellationToken;
        return await work.Read(context.Caller().WorkspaceId, async tx =>
        {
            var parameters = new DynamicParameters(query.Parameters);
            parameters.AddDynamicParams(new { workspace = tx.WorkspaceId, state, leadId });
            parameters.AddDynamicParams(stalls.Parameters(tx.Now));
            var keys = await tx.Connection.QueryAsync<PageRow>(new CommandDefinition(
                $"""
                {(request.Stalled ? OpportunityStalls.Limits : "")}
                select o.id, {query.PageKey} from opportunity o
                where o.workspace_id = @workspace and (@state::text is null or o.state = @state)
                  and (@leadId::uuid is null or o.lead_id = @leadId) and {(request.Stalled ? OpportunityStalls.IsStalled : "true")} and {query.Where}
                order by {query.OrderBy} limit {query.Limit}
                """,
                parameters,
                cancellationToken: ct));
            var (page, next) = query.Page(keys, row => row.PageKey);
            var ids = page.Select(row => row.Id).ToArray();
            var rows = await tx.Db.Opportunities.Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, ct);
            return new ListOpportunitiesResponse { Opportunities = { ids.Select(id => rows[id].ToProto()) }, NextPageToken = next };
        }, ct);
    }

    public override async Task<Opportunity> GetOpportunity(GetOpportunityRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        var row = await work.Read(
            context.Caller().WorkspaceId, tx => tx.Db.Opportunities.SingleOrDefaultAsync(deal => deal.Id == id, tx.CancellationToken),
            context.CancellationToken);
        return (row is null ? (Result<Opportunity>)Error.NotFound("Opportunity", id) : row.ToProto()).OrThrow();
    }

    public override async Task<Opportunity> CreateOpportunity(CreateOpportunityRequest request, ServerCallContext context) =>
        (await open.Handle(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Opportunity> UpdateOpportunity(UpdateOpportunityRequest request, ServerCallContext context) =>
        (await change.Update(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Empty> DeleteOpportunity(DeleteOpportunityRequest request, ServerCallContext context) =>
        (await change.Delete(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Opportunity> AdvanceOpportunity(AdvanceOpportunityRequest request, ServerCallContext context) =>
        (await change.Advance(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Opportunity> WinOpportunity(WinOpportunityRequest request, ServerCallContext context) =>
        (await close.Win(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Opportunity> LoseOpportunity(LoseOpportunityRequest request, ServerCallContext context) =>
        (await close.Lose(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Opportunity> ReopenOpportunity(ReopenOpportunityRequest request, ServerCallContext context) =>
        (await reopen.Handle(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<OpportunityTimeline> GetOpportunityTimeline(GetOpportunityTimelineRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        return (await work.Read<Result<OpportunityTimeline>>(context.Caller().WorkspaceId, async tx =>
        {
            if (await tx.Db.Opportunities.SingleOrDefaultAsync(deal => deal.Id == id, tx.CancellationToken) is not { } row)
            {
                return Error.NotFound("Opportunity", id);
            }

            var changes = await OpportunityHistory.Read(tx, id);
            return new OpportunityTimeline { Changes = { changes.Select(change => change.ToProto(row.CurrencyCode)) } };
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<ImportResponse> ImportOpportunities(
        IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await import.Handle(requestStream, context.Caller(), context.CancellationToken)).OrThrow();
}
