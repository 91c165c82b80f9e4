using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ManageSuppressions;

/// <summary>Suppressions over gRPC and REST.</summary>
internal sealed class SuppressionGrpcService(UnitOfWork<NurtureDbContext> unitOfWork) : SuppressionService.SuppressionServiceBase
{
    private static readonly ListFields Fields = new ListFields("id", "s.id")
        .Add("email", "coalesce(s.email, '')", FieldKind.Email)
        .Names("reason", "s.reason", ["UNSUBSCRIBED", "BOUNCED", "COMPLAINED", "MANUAL"])
        .Sortable("createTime", "s.create_time", FieldKind.Time);

    public override async Task<Suppression> CreateSuppression(CreateSuppressionRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var email = EmailAddress.Normalize(request.Email);
        violations.Require(email is not null, "email", "email must be an address such as ada@example.com.");
        violations.OrThrow();
        var reason = request.Reason == Suppression.Types.Reason.Unspecified ? Suppression.Types.Reason.Manual : request.Reason;
        return (await unitOfWork.RunIdempotent(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            await Suppressions.Add(tx, email!, reason.ToString().ToUpperInvariant());
            var row = await tx.Connection.QuerySingleAsync<Listed>(new CommandDefinition(
                "select * from suppression where workspace_id = @workspace and email_hash = @hash",
                new { workspace = tx.WorkspaceId, hash = EmailAddress.Hash(email!) },
                cancellationToken: tx.CancellationToken));
            return (Result<Suppression>)ToProto(row);
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<Suppression> GetSuppression(GetSuppressionRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        var row = await unitOfWork.Read(
            context.Caller().WorkspaceId, tx => tx.Connection.QuerySingleOrDefaultAsync<Listed>(new CommandDefinition(
                "select * from suppression where workspace_id = @workspace and id = @id",
                new { workspace = tx.WorkspaceId, id },
                cancellationToken: tx.CancellationToken)), context.CancellationToken);
        return ((Result<Suppression>)(row is null ? Error.NotFound("Suppression", id) : ToProto(row))).OrThrow();
    }

    public override async Task<ListSuppressionsResponse> ListSuppressions(ListSuppressionsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime").OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, tx => tx.Connection.QueryAsync<Listed>(new CommandDefinition(
            $"select s.*, {query.PageKey} from suppression s where {query.Where} order by {query.OrderBy} limit {query.Limit}",
            query.Parameters,
            cancellationToken: tx.CancellationToken)), context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Suppressions = { page.Select(ToProto) }, NextPageToken = next };
    }

    public override async Task<Empty> DeleteSuppression(DeleteSuppressionRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.RunIdempotent<Empty>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                "delete from suppression where workspace_id = @workspace and id = @id",
                new { workspace = tx.WorkspaceId, id },
                cancellationToken: tx.CancellationToken)) == 0
                ? Error.NotFound("Suppression", id)
                : new Empty(), context.CancellationToken)).OrThrow();
    }

    public override async Task<ImportResponse> ImportSuppressions(
        IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await ImportSuppressionsHandler.Import(
            unitOfWork, requestStream, context.Caller().WorkspaceId, context.CancellationToken)).OrThrow();

    private static Suppression ToProto(Listed row) => new()
    {
        Id = row.Id.ToString(),
        Email = row.Email ?? "",
        Reason = System.Enum.Parse<Suppression.Types.Reason>(row.Reason, ignoreCase: true),
        CreateTime = row.CreateTime.ToTimestamp(),
    };

    private sealed class Listed
    {
        public Guid Id { get; init; }

        public string? Email { get; init; }

        public string Reason { get; init; } = "";

        public DateTimeOffset CreateTime { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
