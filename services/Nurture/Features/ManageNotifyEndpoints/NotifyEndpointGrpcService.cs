using Dapper;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Lifecycle.Nurture.Features.ManageNotifyEndpoints;

/// <summary>Endpoints of notify steps over gRPC and REST.</summary>
internal sealed class NotifyEndpointGrpcService(UnitOfWork<NurtureDbContext> unitOfWork, SecretBox box)
    : NotifyEndpointService.NotifyEndpointServiceBase
{
    private const int MaxUrl = 2000;

    private static readonly ListFields Fields = new ListFields("id", "n.id")
        .Sortable("createTime", "n.create_time", FieldKind.Time).Sortable("displayName", "n.display_name");

    /// <summary>What the secret in a row is bound to.</summary>
    internal static string Owner(Guid workspaceId, Guid id) => $"nurture:notify:{workspaceId:N}:{id:N}";

    public override async Task<NotifyEndpoint> CreateNotifyEndpoint(CreateNotifyEndpointRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        CheckUrl(request.Url, violations);
        violations.OrThrow();
        return (await unitOfWork.RunIdempotent<NotifyEndpoint>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, tx =>
            {
                var (id, secret) = (tx.NewId(), WebhookSecret.New());
                var row = new NotifyEndpointRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = id,
                    DisplayName = request.DisplayName,
                    Url = request.Url,
                    Secret = box.Close(secret.Text, Owner(tx.WorkspaceId, id)),
                    CreateTime = tx.Now,
                };
                tx.Db.NotifyEndpoints.Add(row);
                var made = ToProto(row);
                made.Secret = secret.Text;
                return Task.FromResult<Result<NotifyEndpoint>>(made);
            }, context.CancellationToken)).OrThrow();
    }

    public override async Task<NotifyEndpoint> GetNotifyEndpoint(GetNotifyEndpointRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        var row = await unitOfWork.Read(context.Caller().WorkspaceId, tx => Find(tx, id), context.CancellationToken);
        return ToProto((row is null ? Error.NotFound("Endpoint", id) : (Result<NotifyEndpointRow>)row).OrThrow());
    }

    public override async Task<ListNotifyEndpointsResponse> ListNotifyEndpoints(
        ListNotifyEndpointsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, null, request.OrderBy, "createTime").OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            var keys = (await tx.Connection.QueryAsync<Keyed>(new CommandDefinition(
                $"select n.id, {query.PageKey} from notify_endpoint n where {query.Where} order by {query.OrderBy} limit {query.Limit}",
                query.Parameters,
                cancellationToken: tx.CancellationToken))).AsList();
            var ids = keys.ConvertAll(key => key.Id);
            var found = await tx.Db.NotifyEndpoints.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
                .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
            return keys.ConvertAll(key => (Row: found[key.Id], key.PageKey));
        }, context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { NotifyEndpoints = { page.Select(row => ToProto(row.Row)) }, NextPageToken = next };
    }

    public override Task<NotifyEndpoint> UpdateNotifyEndpoint(UpdateNotifyEndpointRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        if (request.HasUrl)
        {
            CheckUrl(request.Url, violations);
        }

        violations.OrThrow();
        return Change(request.Id, request.RequestId, request, context, (_, row) =>
        {
            row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
            row.Url = request.HasUrl ? request.Url : row.Url;
            if (request.HasEnabled)
            {
                (row.Enabled, row.DisableReason) = (request.Enabled, null);
            }

            return Task.FromResult<Result<NotifyEndpoint>>(ToProto(row));
        });
    }

    public override Task<Empty> DeleteNotifyEndpoint(DeleteNotifyEndpointRequest request, ServerCallContext context) =>
        Change<Empty>(request.Id, request.RequestId, request, context, async (tx, row) =>
        {
            // Versions on the way count too: their notify steps would have nowhere to send to.
            var program = await tx.Connection.QueryFirstOrDefaultAsync<string>(new CommandDefinition(
                """
                select p.display_name from program p
                where p.workspace_id = @workspace and (p.path @> @step::jsonb or exists (
                  select 1 from program_version v
                  where v.workspace_id = @workspace and v.program_id = p.id and v.path @> @step::jsonb and exists (
                    select 1 from enrollment e where e.workspace_id = @workspace and e.program_id = p.id and e.state = 'ACTIVE'
                      and e.path_version = v.version)))
                order by p.id limit 1
                """,
                new { workspace = tx.WorkspaceId, step = $$"""{"Steps":[{"action":"NOTIFY","EndpointId":"{{row.Id}}"}]}""" },
                cancellationToken: tx.CancellationToken));
            if (program is not null)
            {
                return Error.Precondition($"The program {program} names the endpoint.");
            }

            await WebhookDeliveries.Remove(tx, row.Id);
            tx.Db.NotifyEndpoints.Remove(row);
            return new Empty();
        });

    private async Task<T> Change<T>(
        string idText, string requestId, IMessage request, ServerCallContext context,
        Func<Transaction<NurtureDbContext>, NotifyEndpointRow, Task<Result<T>>> change)
        where T : IMessage<T>, new()
    {
        var id = Requests.Id(idText);
        return (await unitOfWork.RunIdempotent(context.Caller().WorkspaceId, context.Method, requestId, request, async tx =>
            (await tx.Db.NotifyEndpoints.FromSqlRaw(
                "select * from notify_endpoint where workspace_id = @workspace and id = @id for update",
                new NpgsqlParameter("workspace", tx.WorkspaceId),
                new NpgsqlParameter("id", id)).ToListAsync(tx.CancellationToken)) is [var row]
                ? await change(tx, row)
                : Error.NotFound("Endpoint", id), context.CancellationToken)).OrThrow();
    }

    private static Task<NotifyEndpointRow?> Find(Transaction<NurtureDbContext> tx, Guid id) =>
        tx.Db.NotifyEndpoints.FirstOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id, tx.CancellationToken);

    private static void CheckUrl(string url, Violations violations) => violations.Require(
        url.Length <= MaxUrl && Uri.TryCreate(url, UriKind.Absolute, out var address)
            && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps) && address.UserInfo.Length == 0,
        "url", $"url must be an http or https address of at most {MaxUrl} characters, without a password.");

    private static NotifyEndpoint ToProto(NotifyEndpointRow row) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        Url = row.Url,
        Enabled = row.Enabled,
        DisableReason = row.DisableReason ?? "",
        CreateTime = row.CreateTime.ToTimestamp(),
    };

    private sealed class Keyed
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
