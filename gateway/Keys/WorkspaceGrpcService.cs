using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Contracts;
using Lifecycle.Gateway.Storage;
using Lifecycle.Gateway.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Workspace = Lifecycle.Gateway.V1.Workspace;
using WorkspaceRow = Lifecycle.Postgres.Workspace;

namespace Lifecycle.Gateway.Keys;

/// <summary>Makes and changes workspaces; every service learns of them by <see cref="WorkspaceUpdated"/>.</summary>
internal sealed class WorkspaceGrpcService(UnitOfWork<GatewayDbContext> work, KeyDirectory directory)
    : WorkspaceService.WorkspaceServiceBase
{
    private const string DefaultTimeZone = "UTC";
    private const string DefaultCurrency = "USD";

    private static readonly ListFields Fields = new ListFields("id", "id").Sortable("displayName", "display_name");

    public override async Task<Workspace> CreateWorkspace(CreateWorkspaceRequest request, ServerCallContext context)
    {
        if (context.Caller().WorkspaceId != Guid.Empty)
        {
            throw RpcErrors.ToException(new(ErrorKind.PermissionDenied, "Workspaces are created with the bootstrap administrator's key."));
        }

        var violations = new Violations();
        var (timeZone, currency) = (Default(request.TimeZone, DefaultTimeZone), Default(request.CurrencyCode, DefaultCurrency));
        Check(violations, request.DisplayName, timeZone, currency);
        violations.OrThrow();
        return (await work.RunIdempotent(Guid.Empty, context.Method, request.RequestId, request, tx =>
        {
            var row = new WorkspaceRow
            {
                Id = tx.NewId(),
                DisplayName = request.DisplayName,
                TimeZone = timeZone,
                CurrencyCode = currency,
                Version = 1
            };
            tx.Db.Workspaces.Add(row);
            Publish(tx, row);
            return Task.FromResult<Result<Workspace>>(ToProto(row));
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<ListWorkspacesResponse> ListWorkspaces(ListWorkspacesRequest request, ServerCallContext context)
    {
        var own = context.Caller().WorkspaceId;
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, "", request.OrderBy, "id", own.ToString()).OrThrow();
        var rows = await work.Read(own, tx => tx.Connection.QueryAsync<WorkspacePage>(
            $"""
            select id, display_name, time_zone, currency_code, version, {query.PageKey} from workspace
            where {query.Where} and (@own = '00000000-0000-0000-0000-000000000000'::uuid or id = @own) order by {query.OrderBy} limit {query.Limit}
            """,
            new DynamicParameters(query.Parameters.Append(new("own", own)).ToDictionary())), context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        var response = new ListWorkspacesResponse { NextPageToken = next };
        response.Workspaces.AddRange(page.Select(row => row.ToProto()));
        return response;
    }

    public override async Task<Workspace> GetWorkspace(GetWorkspaceRequest request, ServerCallContext context)
    {
        var id = Own(request.Id, context);
        var row = await work.Read(
            id, tx => tx.Db.Workspaces.SingleOrDefaultAsync(row => row.Id == id, tx.CancellationToken), context.CancellationToken);
        return row is null ? throw RpcErrors.ToException(Unknown(request.Id)) : ToProto(row);
    }

    public override async Task<Workspace> UpdateWorkspace(UpdateWorkspaceRequest request, ServerCallContext context)
    {
        var id = Own(request.Id, context);
        var violations = new Violations();
        Check(
            violations,
            request.HasDisplayName ? request.DisplayName : "unchanged",
            request.HasTimeZone ? request.TimeZone : DefaultTimeZone,
            request.HasCurrencyCode ? request.CurrencyCode : DefaultCurrency);
        violations.OrThrow();
        var updated = (await work.RunIdempotent<Workspace>(id, context.Method, request.RequestId, request, async tx =>
        {
            var row = await tx.Connection.QuerySingleOrDefaultAsync<WorkspacePage>(
                """
                update workspace set display_name = coalesce(@name, display_name), time_zone = coalesce(@zone, time_zone),
                  currency_code = coalesce(@currency, currency_code), version = version + 1
                where id = @id returning id, display_name, time_zone, currency_code, version
                """,
                new
                {
                    id,
                    name = request.HasDisplayName ? request.DisplayName : null,
                    zone = request.HasTimeZone ? request.TimeZone : null,
                    currency = request.HasCurrencyCode ? request.CurrencyCode : null,
                });
            if (row is null)
            {
                return Unknown(request.Id);
            }

            Publish(tx, row.ToRow());
            await tx.Connection.ExecuteAsync(
                "select pg_notify(@channel, @payload)", new { channel = KeyChanges.Channel, payload = KeyChanges.Everything });
            return row.ToProto();
        }, context.CancellationToken)).OrThrow();
        directory.ForgetAll();
        return updated;
    }

    private static void Check(Violations violations, string displayName, string timeZone, string currencyCode)
    {
        violations.RequireText(displayName, "displayName");
        violations.Require(
            TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out var zone) && zone.HasIanaId
                && !timeZone.Contains(' ', StringComparison.Ordinal),
            "timeZone",
            $"{timeZone} is no IANA time zone such as Europe/Berlin.");
        violations.Require(Currencies.IsKnown(currencyCode), "currencyCode", $"{currencyCode} is no ISO 4217 currency such as USD.");
    }

    private static Guid Own(string text, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(text, "id", out var id);
        violations.OrThrow();
        var own = context.Caller().WorkspaceId;
        return own == Guid.Empty || own == id ? id : throw RpcErrors.ToException(Unknown(text));
    }

    private static Error Unknown(string id) => new(ErrorKind.NotFound, $"Workspace {id} does not exist.");

    private static string Default(string text, string value) => text.Length == 0 ? value : text;

    private static void Publish(Transaction<GatewayDbContext> tx, WorkspaceRow row) =>
        tx.Publish(new WorkspaceUpdated(tx.NewId(), row.Id, tx.Now, row.Version, row.DisplayName, row.TimeZone, row.CurrencyCode));

    private static Workspace ToProto(WorkspaceRow row) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        TimeZone = row.TimeZone,
        CurrencyCode = row.CurrencyCode,
        CreateTime = CreateTime(row.Id),
    };

    /// <summary>The first 48 bits of a UUIDv7 are the milliseconds since 1970 at which it was made (RFC 9562).</summary>
    private static Timestamp CreateTime(Guid id)
    {
        var bytes = id.ToByteArray(bigEndian: true);
        var milliseconds = bytes.Take(6).Aggregate(0L, (value, next) => (value << 8) | next);
        return Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
    }

    private sealed class WorkspacePage
    {
        public Guid Id { get; init; }

        public string DisplayName { get; init; } = "";

        public string TimeZone { get; init; } = "";

        public string CurrencyCode { get; init; } = "";

        public long Version { get; init; }

        public string[] PageKey { get; init; } = [];

        public WorkspaceRow ToRow() =>
            new() { Id = Id, DisplayName = DisplayName, TimeZone = TimeZone, CurrencyCode = CurrencyCode, Version = Version };

        public Workspace ToProto() => WorkspaceGrpcService.ToProto(ToRow());
    }
}
