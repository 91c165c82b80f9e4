using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Conversion.Features.ManagePipelines;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Grpc;

/// <summary>Pipelines over gRPC and REST.</summary>
public sealed class PipelineGrpcService(UnitOfWork<ConversionDbContext> work, ManagePipelines manage) : PipelineService.PipelineServiceBase
{
    private static readonly ListFields Fields = new ListFields("id", "p.id")
        .Sortable("createTime", "p.create_time", FieldKind.Time).Sortable("displayName", "p.display_name");

    public override async Task<ListPipelinesResponse> ListPipelines(ListPipelinesRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, "", request.OrderBy, "createTime").OrThrow();
        var (workspaceId, ct) = (context.Caller().WorkspaceId, context.CancellationToken);
        // A workspace that asks for the first time gets its default pipeline now.
        await work.Run(workspaceId, OpportunityBook.DefaultPipeline, ct);
        return await work.Read(workspaceId, async tx =>
        {
            var parameters = new DynamicParameters(query.Parameters);
            parameters.Add("workspace", tx.WorkspaceId);
            var keys = await tx.Connection.QueryAsync<PageRow>(new CommandDefinition(
                $"""
                select p.id, {query.PageKey} from pipeline p
                where p.workspace_id = @workspace and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                parameters,
                cancellationToken: ct));
            var (page, next) = query.Page(keys, row => row.PageKey);
            var ids = page.Select(row => row.Id).ToArray();
            var rows = await tx.Db.Pipelines.Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, ct);
            return new ListPipelinesResponse { Pipelines = { ids.Select(id => rows[id].ToProto()) }, NextPageToken = next };
        }, ct);
    }

    public override async Task<Pipeline> GetPipeline(GetPipelineRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        var row = await work.Read(
            context.Caller().WorkspaceId, tx => tx.Db.Pipelines.SingleOrDefaultAsync(pipeline => pipeline.Id == id, tx.CancellationToken),
            context.CancellationToken);
        return (row is null ? (Result<Pipeline>)Error.NotFound("Pipeline", id) : row.ToProto()).OrThrow();
    }

    public override async Task<Pipeline> CreatePipeline(CreatePipelineRequest request, ServerCallContext context) =>
        (await manage.Create(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Pipeline> UpdatePipeline(UpdatePipelineRequest request, ServerCallContext context) =>
        (await manage.Update(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Empty> DeletePipeline(DeletePipelineRequest request, ServerCallContext context) =>
        (await manage.Delete(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();
}
