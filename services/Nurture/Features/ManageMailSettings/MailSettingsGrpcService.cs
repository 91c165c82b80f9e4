using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Nurture.Features.ManageMailSettings;

/// <summary>Sender, relay, pace and DKIM keys over gRPC and REST.</summary>
internal sealed partial class MailSettingsGrpcService(
    UnitOfWork<NurtureDbContext> unitOfWork, MailSettingsHandler handler, MailRoutes routes, MailTransport transport, SecretBox secrets)
    : MailSettingsService.MailSettingsServiceBase
{
    private const int MaxKeys = 100;
    private static readonly ListFields Fields = new ListFields("id", "k.id")
        .Sortable("createTime", "k.create_time", FieldKind.Time).Sortable("domain", "k.domain");

    public override async Task<MailSettings> GetMailSettings(GetMailSettingsRequest request, ServerCallContext context) =>
        MailSettingsHandler.ToProto(await unitOfWork.Read(context.Caller().WorkspaceId, MailRoutes.Settings, context.CancellationToken));

    public override async Task<MailSettings> UpdateMailSettings(UpdateMailSettingsRequest request, ServerCallContext context)
    {
        var settings = request.Settings ?? new();
        MailSettingsRules.Check(settings).OrThrow();
        return (await unitOfWork.RunIdempotent(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, tx => handler.Update(tx, settings),
            context.CancellationToken))
            .OrThrow();
    }

    public override async Task<TestMailSettingsResponse> TestMailSettings(TestMailSettingsRequest request, ServerCallContext context)
    {
        var settings = await unitOfWork.Read(context.Caller().WorkspaceId, MailRoutes.Settings, context.CancellationToken);
        var relay = routes.Relay(settings);
        var result = await transport.Test(relay, context.CancellationToken);
        return (result.Outcome == SendOutcome.Accepted
            ? new TestMailSettingsResponse { Server = relay?.ToString() ?? "" }
            : (Result<TestMailSettingsResponse>)Error.Unavailable(result.Detail)).OrThrow();
    }

    public override async Task<DkimKey> CreateDkimKey(CreateDkimKeyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var domain = MailSettingsRules.Domain(request.Domain);
        violations.Require(domain is not null, "domain", "domain must be a domain such as example.com.");
        violations.Require(
            request.Selector.Length == 0 || Selector().IsMatch(request.Selector), "selector",
            "selector has 1 to 63 letters, digits and hyphens.");
        var given = request.PrivateKey.Length == 0 ? null : Import(request.PrivateKey);
        violations.Require(
            request.PrivateKey.Length == 0 || given is not null, "privateKey",
            "privateKey must be an RSA key of 1024 to 4096 bits as PEM.");
        violations.OrThrow();
        return (await unitOfWork.RunIdempotent<DkimKey>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
            {
                var keys = await tx.Db.DkimKeys.Where(key => key.WorkspaceId == tx.WorkspaceId).ToListAsync(tx.CancellationToken);
                var selector = request.Selector.Length > 0
                    ? request.Selector.ToLowerInvariant() : tx.Now.UtcDateTime.ToString("'lc'yyyyMMddHHmmss", CultureInfo.InvariantCulture);
                if (keys.Exists(key => key.Domain == domain && key.Selector == selector))
                {
                    return Error.AlreadyExists($"The domain {domain} has a key with the selector {selector}.");
                }

                if (keys.Count >= MaxKeys)
                {
                    return Error.Precondition($"A workspace has at most {MaxKeys} keys.");
                }

                var (id, privateKey) = (tx.NewId(), given ?? DkimSigner.NewKey());
                var row = new DkimKeyRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = id,
                    Domain = domain!,
                    Selector = selector,
                    PrivateKey = secrets.Close(Convert.ToBase64String(privateKey), MailRoutes.KeyOwner(tx.WorkspaceId, id)),
                    DnsRecord = DkimSigner.DnsRecord(privateKey),
                    CreateTime = tx.Now,
                };
                tx.Db.DkimKeys.Add(row);
                return ToProto(row);
            }, context.CancellationToken)).OrThrow();
    }

    public override async Task<ListDkimKeysResponse> ListDkimKeys(ListDkimKeysRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, "", request.OrderBy, "id").OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, tx => tx.Connection.QueryAsync<Listed>(new CommandDefinition(
            $"""
            select k.id, k.domain, k.selector, k.dns_record, k.active, k.create_time, {query.PageKey}
            from dkim_key k where {query.Where} order by {query.OrderBy} limit {query.Limit}
            """,
            query.Parameters,
            cancellationToken: tx.CancellationToken)), context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new()
        {
            Keys = { page.Select(row => ToProto(row.Id, row.Domain, row.Selector, row.DnsRecord, row.Active, row.CreateTime)) },
            NextPageToken = next,
        };
    }

    public override async Task<DkimKey> ActivateDkimKey(ActivateDkimKeyRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.RunIdempotent<DkimKey>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
            {
                var keys = await tx.Db.DkimKeys
                    .FromSql($"select * from dkim_key where workspace_id = {tx.WorkspaceId} order by id for update")
                    .ToListAsync(tx.CancellationToken);
                if (keys.Find(key => key.Id == id) is not { } chosen)
                {
                    return Error.NotFound("DkimKey", id);
                }

                keys.FindAll(key => key.Domain == chosen.Domain).ForEach(key => key.Active = key.Id == id);
                return ToProto(chosen);
            }, context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> DeleteDkimKey(DeleteDkimKeyRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.RunIdempotent<Empty>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
            await tx.Db.DkimKeys.Where(key => key.WorkspaceId == tx.WorkspaceId && key.Id == id)
                .ExecuteDeleteAsync(tx.CancellationToken) == 0
                ? Error.NotFound("DkimKey", id)
                : new Empty(), context.CancellationToken)).OrThrow();
    }

    private static byte[]? Import(string pem)
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return rsa.KeySize is >= 1024 and <= 4096 ? rsa.ExportPkcs8PrivateKey() : null;
        }
        catch (Exception fault) when (fault is ArgumentException or CryptographicException)
        {
            return null;
        }
    }

    private static DkimKey ToProto(DkimKeyRow row) => ToProto(row.Id, row.Domain, row.Selector, row.DnsRecord, row.Active, row.CreateTime);

    private static DkimKey ToProto(
        Guid id, string domain, string selector, string record, bool isActive, DateTimeOffset createTime) => new()
        {
            Id = id.ToString(),
            Domain = domain,
            Selector = selector,
            DnsName = $"{selector}._domainkey.{domain}",
            DnsRecord = record,
            Active = isActive,
            CreateTime = createTime.ToTimestamp(),
        };

    [GeneratedRegex("^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Selector();

    private sealed class Listed
    {
        public Guid Id { get; init; }

        public string Domain { get; init; } = "";

        public string Selector { get; init; } = "";

        public string DnsRecord { get; init; } = "";

        public bool Active { get; init; }

        public DateTimeOffset CreateTime { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
