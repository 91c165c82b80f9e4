using Dapper;
using Lifecycle.Conversion.Grpc;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.ExportRevenue;

/// <summary>The log of files of offline conversions.</summary>
internal static class ListOfflineExports
{
    private static readonly ListFields Fields = new ListFields("id", "e.id")
        .Sortable("createTime", "e.create_time", FieldKind.Time)
        .Add("clickIdType", "e.click_id_type")
        .Add("actor", "e.actor");

    public static ListQuery Parse(ListOfflineExportsRequest request) =>
        ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime desc", "offlineExports").OrThrow();

    public static async Task<ListOfflineExportsResponse> Page(Transaction<ConversionDbContext> tx, ListQuery query)
    {
        var parameters = new DynamicParameters(query.Parameters);
        parameters.AddDynamicParams(new { workspace = tx.WorkspaceId });
        var keys = await tx.Connection.QueryAsync<PageRow>(new CommandDefinition(
            $"""
            select e.id, {query.PageKey} from offline_export e
            where e.workspace_id = @workspace and {query.Where} order by {query.OrderBy} limit {query.Limit}
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
        var (page, next) = query.Page(keys, row => row.PageKey);
        var ids = page.Select(row => row.Id).ToArray();
        var rows = await tx.Db.OfflineExports.Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, tx.CancellationToken);
        return new() { OfflineExports = { ids.Select(id => rows[id].ToProto()) }, NextPageToken = next };
    }

    private static OfflineExport ToProto(this OfflineExportRow row) => new()
    {
        Id = row.Id.ToString(),
        CreateTime = row.CreateTime.ToProto(),
        Actor = row.Actor,
        From = row.FromTime.ToProto(),
        To = row.ToTime.ToProto(),
        ClickIdType = row.ClickIdType,
        ConversionName = row.ConversionName,
        OnlyNew = row.OnlyNew,
        Conversions = row.Conversions,
    };
}
