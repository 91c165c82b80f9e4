using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Gateway.Storage;
using Lifecycle.Gateway.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Key = Lifecycle.Gateway.V1.Key;

namespace Lifecycle.Gateway.Keys;

/// <summary>Makes, shows and revokes keys.</summary>
internal sealed class KeyGrpcService(UnitOfWork<GatewayDbContext> work, KeyDirectory directory, TimeProvider time)
    : KeyService.KeyServiceBase
{
    private const string Columns =
        "workspace_id, id, key_hash, key_prefix, kind, scopes, display_name, create_time, expire_time, revoke_time, last_use_time";

    private static readonly ListFields Fields = new ListFields("id", "id")
        .Sortable("createTime", "create_time", FieldKind.Time).Names("kind", "kind", ["SECRET", "PUBLISHABLE"])
        .Add("displayName", "display_name").Add("keyPrefix", "key_prefix");

    public override async Task<Key> CreateKey(CreateKeyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var isPublishable = request.Kind == Key.Types.Kind.Publishable;
        var scopes = KeyScopes.Check(request.Scopes, isPublishable, violations);
        var workspaceId = Workspace(request.WorkspaceId, context, violations);
        violations.Require(request.DisplayName.Length <= 200, "displayName", "displayName has at most 200 characters.");
        violations.Require(
            request.ExpireTime is null || request.ExpireTime.ToDateTimeOffset() > time.GetUtcNow(), "expireTime",
            "expireTime must lie in the future.");
        violations.OrThrow();
        var secret = KeyText.Create(isPublishable ? KeyText.PublishablePrefix : KeyText.SecretPrefix);
        var made = Guid.Empty;
        var key = (await work.RunIdempotent<Key>(workspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (!await tx.Db.Workspaces.AnyAsync(workspace => workspace.Id == workspaceId, tx.CancellationToken))
            {
                return new Error(ErrorKind.NotFound, $"Workspace {workspaceId} does not exist.");
            }

            var row = new ApiKey
            {
                WorkspaceId = workspaceId,
                Id = made = tx.NewId(),
                KeyHash = KeyText.Hash(secret),
                KeyPrefix = KeyText.Shown(secret),
                Kind = isPublishable ? "PUBLISHABLE" : "SECRET",
                Scopes = scopes,
                DisplayName = request.DisplayName,
                CreateTime = tx.Now,
                ExpireTime = request.ExpireTime.ToTime(),
            };
            tx.Db.Add(row);
            return ToProto(row);
        }, context.CancellationToken)).OrThrow();
        // What is kept for repetitions holds no secret: only the answer to the request that made the key shows it.
        if (key.Id == made.ToString())
        {
            key.Key_ = secret;
        }

        return key;
    }

    public override async Task<ListKeysResponse> ListKeys(ListKeysRequest request, ServerCallContext context)
    {
        var workspaceId = Workspace("", context);
        var query = ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime desc",
            workspaceId.ToString()).OrThrow();
        var rows = await work.Read(workspaceId, tx => tx.Connection.QueryAsync<KeyPage>(
            $"select {Columns}, {query.PageKey} from api_key where {query.Where} order by {query.OrderBy} limit {query.Limit}",
            new DynamicParameters(query.Parameters)), context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        var response = new ListKeysResponse { NextPageToken = next };
        response.Keys.AddRange(page.Select(row => row.ToProto()));
        return response;
    }

    public override async Task<Key> GetKey(GetKeyRequest request, ServerCallContext context)
    {
        var (workspaceId, id) = (Workspace("", context), Id(request.Id));
        var row = await work.Read(
            workspaceId,
            tx => tx.Db.Set<ApiKey>().SingleOrDefaultAsync(key => key.WorkspaceId == workspaceId && key.Id == id, tx.CancellationToken),
            context.CancellationToken);
        return row is null ? throw RpcErrors.ToException(Error.NotFound("Key", id)) : ToProto(row);
    }

    public override async Task<Empty> DeleteKey(DeleteKeyRequest request, ServerCallContext context)
    {
        var (workspaceId, id) = (Workspace("", context), Id(request.Id));
        var hash = (await work.Run<string>(workspaceId, async tx =>
        {
            var revoked = await tx.Connection.QuerySingleOrDefaultAsync<string>(
                """
                update api_key set revoke_time = coalesce(revoke_time, @now) where workspace_id = @workspaceId and id = @id
                returning encode(key_hash, 'hex')
                """,
                new { workspaceId, id, now = tx.Now });
            if (revoked is null)
            {
                return Error.NotFound("Key", id);
            }

            await tx.Connection.ExecuteAsync("select pg_notify(@channel, @revoked)", new { channel = KeyChanges.Channel, revoked });
            return revoked;
        }, context.CancellationToken)).OrThrow();
        directory.Forget(hash);
        return new Empty();
    }

    /// <summary>The caller's workspace, or the one that the bootstrap administrator names.</summary>
    private static Guid Workspace(string named, ServerCallContext context, Violations? violations = null)
    {
        var own = context.Caller().WorkspaceId;
        var found = violations ?? new Violations();
        if (own == Guid.Empty)
        {
            found.RequireId(named, "workspaceId", out own);
        }
        else if (named.Length > 0 && found.RequireId(named, "workspaceId", out var asked) && asked != own)
        {
            throw RpcErrors.ToException(new(ErrorKind.NotFound, $"Workspace {asked} does not exist."));
        }

        if (violations is null && found.Any)
        {
            throw RpcErrors.ToException(Error.Invalid(
                KeyMiddleware.WorkspaceHeader,
                $"The administrator's key names the workspace by the header {KeyMiddleware.WorkspaceHeader}."));
        }

        return own;
    }

    private static Guid Id(string text)
    {
        var violations = new Violations();
        violations.RequireId(text, "id", out var id);
        violations.OrThrow();
        return id;
    }

    private static Key ToProto(ApiKey row)
    {
        var key = new Key
        {
            Id = row.Id.ToString(),
            WorkspaceId = row.WorkspaceId.ToString(),
            Kind = row.Kind == "PUBLISHABLE" ? Key.Types.Kind.Publishable : Key.Types.Kind.Secret,
            DisplayName = row.DisplayName,
            KeyPrefix = row.KeyPrefix,
            CreateTime = row.CreateTime.ToProto(),
            ExpireTime = row.ExpireTime.ToProto(),
            RevokeTime = row.RevokeTime.ToProto(),
            LastUseTime = row.LastUseTime.ToProto(),
        };
        key.Scopes.AddRange(row.Scopes);
        return key;
    }

    private sealed class KeyPage
    {
        public Guid WorkspaceId { get; init; }

        public Guid Id { get; init; }

        public string KeyPrefix { get; init; } = "";

        public string Kind { get; init; } = "";

        public string[] Scopes { get; init; } = [];

        public string DisplayName { get; init; } = "";

        public DateTimeOffset CreateTime { get; init; }

        public DateTimeOffset? ExpireTime { get; init; }

        public DateTimeOffset? RevokeTime { get; init; }

        public DateTimeOffset? LastUseTime { get; init; }

        public string[] PageKey { get; init; } = [];

        public Key ToProto() => KeyGrpcService.ToProto(new ApiKey
        {
            WorkspaceId = WorkspaceId,
            Id = Id,
            KeyHash = [],
            KeyPrefix = KeyPrefix,
            Kind = Kind,
            Scopes = Scopes,
            DisplayName = DisplayName,
            CreateTime = CreateTime,
            ExpireTime = ExpireTime,
            RevokeTime = RevokeTime,
            LastUseTime = LastUseTime,
        });
    }
}
