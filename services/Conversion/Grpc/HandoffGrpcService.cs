using Dapper;
using Grpc.Core;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Features.AnswerHandoff;
using Lifecycle.Conversion.Features.WatchHandoffs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Grpc;

/// <summary>Hand-offs over gRPC and REST.</summary>
public sealed class HandoffGrpcService(UnitOfWork<ConversionDbContext> work, AnswerHandoff answer, RouteHandoff route,
    ManageHandoffSettings settings)
    : HandoffService.HandoffServiceBase
{
    private static readonly ListFields Fields = new ListFields("id", "h.id")
        .Sortable("createTime", "h.create_time", FieldKind.Time)
        .Add("closeTime", "h.close_time", FieldKind.Time)
        .Names("state", "h.state", Enum.GetValues<HandoffState>().Select(state => state.Name()))
        .Add("owner", "h.owner")
        .Add("leadId", "h.lead_id", FieldKind.Id)
        .Add("teamId", "h.team_id", FieldKind.Id)
        .Add("dueTime", "h.due_time", FieldKind.Time)
        .Add("overdue", "coalesce(h.due_time < coalesce(h.accept_time, h.close_time, now()), false)", FieldKind.Boolean)
        .Add("reopened", "h.reopened", FieldKind.Boolean)
        .Add("returnReason", "h.return_reason");

    public override async Task<ListHandoffsResponse> ListHandoffs(ListHandoffsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Guid? leadId = request.LeadId.Length > 0 && violations.RequireId(request.LeadId, "leadId", out var lead) ? lead : null;
        violations.Require(Enum.IsDefined(request.State), "state", "state must be OPEN, ACCEPTED, RETURNED, EXPIRED or DISQUALIFIED.");
        violations.OrThrow();
        var state = request.State == Handoff.Types.State.Unspecified ? null : request.State.ToString().ToUpperInvariant();
        var query = ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime desc",
            $"{state}/{request.Owner}/{leadId}/{request.Overdue}").OrThrow();
        var ct = context.CancellationToken;
        return await work.Read(context.Caller().WorkspaceId, async tx =>
        {
            var parameters = new DynamicParameters(query.Parameters);
            parameters.AddDynamicParams(
                new
                {
                    workspace = tx.WorkspaceId,
                    state,
                    owner = request.Owner.Length > 0 ? request.Owner : null,
                    leadId,
                    request.Overdue,
                    now = tx.Now
                });
            var keys = await tx.Connection.QueryAsync<PageRow>(new CommandDefinition(
                $"""
                select h.id, {query.PageKey} from handoff h
                where h.workspace_id = @workspace and (@state::text is null or h.state = @state) and (@owner::text is null or h.owner = @owner)
                  and (@leadId::uuid is null or h.lead_id = @leadId)
                  and (not @overdue or (h.state = 'OPEN' and h.due_time < @now)) and {query.Where}
                order by {query.OrderBy} limit {query.Limit}
                """,
                parameters,
                cancellationToken: ct));
            var (page, next) = query.Page(keys, row => row.PageKey);
            var ids = page.Select(row => row.Id).ToArray();
            var rows = await tx.Db.Handoffs.Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, ct);
            return new ListHandoffsResponse { Handoffs = { ids.Select(id => rows[id].ToProto(tx.Now)) }, NextPageToken = next };
        }, ct);
    }

    public override async Task<Handoff> GetHandoff(GetHandoffRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        return (await work.Read<Result<Handoff>>(context.Caller().WorkspaceId, async tx =>
        {
            if (await tx.Db.Handoffs.SingleOrDefaultAsync(row => row.Id == id, tx.CancellationToken) is not { } found)
            {
                return Error.NotFound("Hand-off", id);
            }

            var handoff = found.ToProto(tx.Now);
            handoff.Assignments.AddRange((await tx.Db.HandoffAssignments.Where(row => row.HandoffId == id).OrderBy(row => row.Position)
                .ToListAsync(tx.CancellationToken)).Select(row => row.ToProto()));
            return handoff;
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<Handoff> AcceptHandoff(AcceptHandoffRequest request, ServerCallContext context) =>
        (await answer.Accept(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Handoff> ReturnHandoff(ReturnHandoffRequest request, ServerCallContext context) =>
        (await answer.Return(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Handoff> AssignHandoff(AssignHandoffRequest request, ServerCallContext context) =>
        (await route.Assign(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Handoff> DisqualifyHandoff(DisqualifyHandoffRequest request, ServerCallContext context) =>
        (await route.Disqualify(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override Task<HandoffSettings> GetHandoffSettings(GetHandoffSettingsRequest request, ServerCallContext context) =>
        settings.Get(context.Caller(), context.CancellationToken);

    public override async Task<HandoffSettings> UpdateHandoffSettings(UpdateHandoffSettingsRequest request, ServerCallContext context) =>
        (await settings.Update(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override Task<ReturnReasons> GetReturnReasons(GetReturnReasonsRequest request, ServerCallContext context) =>
        work.Read(
            context.Caller().WorkspaceId, async tx => new ReturnReasons { Reasons = { await ReturnReasonList.Read(tx) } },
            context.CancellationToken);

    public override async Task<ReturnReasons> UpdateReturnReasons(UpdateReturnReasonsRequest request, ServerCallContext context) =>
        (await ReturnReasonList.Update(work, request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();
}

/// <summary>A row of a page, before it is read whole.</summary>
internal sealed class PageRow
{
    public Guid Id { get; init; }

    public string[] PageKey { get; init; } = [];
}
