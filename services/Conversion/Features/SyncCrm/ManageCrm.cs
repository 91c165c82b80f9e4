using System.Text.Json;
using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;
using Mapping = Lifecycle.Conversion.Domain.Crm.CrmMapping;

namespace Lifecycle.Conversion.Features.SyncCrm;

/// <summary>Makes, changes and removes connections to CRMs.</summary>
public sealed class ManageCrm(UnitOfWork<ConversionDbContext> work, SecretBox box)
{
    private const int MaxConnections = 20;
    private static readonly TimeSpan OldSecretHolds = TimeSpan.FromDays(1);

    public async Task<Result<CrmConnection>> Create(CreateCrmConnectionRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        CrmChecks.Outbound(request.Outbound, violations);
        var inbound = CrmChecks.Read(request.Inbound, "/data", "inbound", violations);
        var mapping = CrmChecks.Pull(request.Pull, violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var secret = WebhookSecret.New();
        var made = await work.RunIdempotent<CrmConnection>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await tx.Db.CrmConnections.CountAsync(ct) >= MaxConnections)
            {
                return Error.Precondition($"The workspace has {MaxConnections} connections; that is the most.");
            }

            var id = tx.NewId();
            var row = new CrmConnectionRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = id,
                DisplayName = request.DisplayName.Trim(),
                Inbound = CrmChecks.Json(inbound),
                Secret = box.Close(secret.Text, CrmSecrets.Owner(tx.WorkspaceId, id)),
                CreateTime = tx.Now,
            };
            Set(row, request.Outbound);
            Set(row, request.Pull, mapping, tx.Now);
            tx.Db.CrmConnections.Add(row);
            return row.ToProto();
        }, ct);
        // The answer that is kept for repetitions must not hold the secret: it is put in afterwards, for the first one alone.
        if (made.TryGet(out var connection, out _))
        {
            var kept = await CrmSecrets.Read(work, box, caller.WorkspaceId, Guid.Parse(connection.Id), ct);
            connection.Secret = kept == secret.Text ? kept : "";
        }

        return made;
    }

    public async Task<Result<CrmConnection>> Update(UpdateCrmConnectionRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        _ = !request.HasDisplayName || violations.RequireText(request.DisplayName, "displayName");
        violations.Require(System.Enum.IsDefined(request.State), "state", "state must be ENABLED or DISABLED.");
        CrmChecks.Outbound(request.Outbound, violations);
        var inbound = CrmChecks.Read(request.Inbound, "/data", "inbound", violations);
        var mapping = CrmChecks.Pull(request.Pull, violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<CrmConnection>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await Lock(tx, id) is not { } row)
            {
                return Error.NotFound("CRM connection", id);
            }

            row.DisplayName = request.HasDisplayName ? request.DisplayName.Trim() : row.DisplayName;
            if (request.State != CrmConnection.Types.State.Unspecified)
            {
                (row.Enabled, row.DisableReason) = (request.State == CrmConnection.Types.State.Enabled, null);
            }

            row.Inbound = request.Inbound is null ? row.Inbound : CrmChecks.Json(inbound);
            Set(row, request.Outbound);
            Set(row, request.Pull, mapping, tx.Now);
            row.PullDueTime = row is { Enabled: true, PullUrl: not null } ? row.PullDueTime ?? tx.Now : null;
            return row.ToProto();
        }, ct);
    }

    public async Task<Result<Empty>> Delete(DeleteCrmConnectionRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        if (!violations.RequireId(request.Id, "id", out var id))
        {
            return violations.ToError()!;
        }

        return await work.RunIdempotent<Empty>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await Lock(tx, id) is not { } row)
            {
                return Error.NotFound("CRM connection", id);
            }

            await WebhookDeliveries.Remove(tx, id);
            await tx.Db.CrmReceipts.Where(receipt => receipt.ConnectionId == id).ExecuteDeleteAsync(ct);
            tx.Db.CrmConnections.Remove(row);
            return new Empty();
        }, ct);
    }

    public async Task<Result<CrmConnection>> Rotate(RotateCrmSecretRequest request, Caller caller, CancellationToken ct)
    {
        var secret = WebhookSecret.New();
        return (await Change(request.Id, caller, (tx, row) =>
        {
            (row.PreviousSecret, row.PreviousUntil) = (row.Secret, tx.Now + OldSecretHolds);
            row.Secret = box.Close(secret.Text, CrmSecrets.Owner(tx.WorkspaceId, row.Id));
            return default(Unit);
        }, ct)).Map(connection =>
        {
            connection.Secret = secret.Text;
            return connection;
        });
    }

    public Task<Result<CrmConnection>> Pull(PullCrmConnectionRequest request, Caller caller, CancellationToken ct) =>
        Change(request.Id, caller, (tx, row) =>
        {
            if (row is not { Enabled: true, PullUrl: not null })
            {
                return Error.Precondition("The connection is disabled, or pulls nothing.");
            }

            row.PullDueTime = tx.Now;
            return default(Unit);
        }, ct);

    public async Task<Result<CrmDelivery>> Test(TestCrmConnectionRequest request, Caller caller, CancellationToken ct)
    {
        WebhookDeliveryRow? delivery = null;
        var tested = await Change(request.Id, caller, (tx, row) =>
        {
            if (row is not { Enabled: true, OutboundUrl: not null })
            {
                return Error.Precondition("The connection is disabled, or has no outbound address.");
            }

            delivery = WebhookDeliveries.Add(
                tx, row.Id, CrmOutbox.ConnectionTest,
                CrmOutbox.Body(CrmOutbox.ConnectionTest, tx.Now,
                    new System.Text.Json.Nodes.JsonObject { ["connectionId"] = row.Id.ToString() }), null);
            return default(Unit);
        }, ct);
        return tested.Map(_ => delivery!.ToProto([]));
    }

    private async Task<Result<CrmConnection>> Change(
        string requestedId, Caller caller, Func<Transaction<ConversionDbContext>, CrmConnectionRow, Result<Unit>> change,
            CancellationToken ct)
    {
        var violations = new Violations();
        if (!violations.RequireId(requestedId, "id", out var id))
        {
            return violations.ToError()!;
        }

        return await work.Run<CrmConnection>(caller.WorkspaceId, async tx =>
        {
            if (await Lock(tx, id) is not { } row)
            {
                return Error.NotFound("CRM connection", id);
            }

            return change(tx, row).Error is { } refused ? refused : row.ToProto();
        }, ct);
    }

    private static async Task<CrmConnectionRow?> Lock(Transaction<ConversionDbContext> tx, Guid id) => (await tx.Db.CrmConnections
        .FromSql($"select * from crm_connection where workspace_id = {tx.WorkspaceId} and id = {id} for update")
            .ToListAsync(tx.CancellationToken))
        .SingleOrDefault();

    private static void Set(CrmConnectionRow row, CrmOutbound? outbound)
    {
        if (outbound is not null)
        {
            row.OutboundUrl = outbound.Url.Length > 0 ? outbound.Url : null;
            row.FieldMap = JsonSerializer.Serialize(outbound.FieldMap.ToDictionary(), JsonSerializerOptions.Web);
        }
    }

    private void Set(CrmConnectionRow row, CrmPull? pull, Mapping mapping, DateTimeOffset now)
    {
        if (pull is null)
        {
            return;
        }

        row.PullUrl = pull.Url.Length > 0 ? pull.Url : null;
        row.AuthHeader = pull.AuthHeader.Length > 0 ? pull.AuthHeader : "Authorization";
        row.AuthSecret = pull.AuthSecret.Length > 0 ? box.Close(pull.AuthSecret, CrmSecrets.Owner(row.WorkspaceId, row.Id))
            : row.AuthSecret;
        row.PullMapping = CrmChecks.Json(mapping);
        row.NextCursor = pull.NextCursor;
        row.IntervalSeconds = pull.IntervalSeconds == 0 ? 300 : pull.IntervalSeconds;
        row.PullDueTime = row is { PullUrl: not null, Enabled: true } ? now : null;
        (row.PullFailures, row.LastPullError) = (0, null);
    }
}

/// <summary>Secrets of connections, in clear.</summary>
internal static class CrmSecrets
{
    /// <summary>What a secret is bound to.</summary>
    public static string Owner(Guid workspaceId, Guid id) => $"{workspaceId:N}/{id:N}";

    /// <summary>The signing secrets that hold now: the present one, and the one before for a day.</summary>
    public static IReadOnlyList<WebhookSecret> Signing(this CrmConnectionRow row, SecretBox box, DateTimeOffset now)
    {
        var closed = row.PreviousSecret is { } previous && row.PreviousUntil > now ? new[] { row.Secret, previous } : [row.Secret];
        return [.. closed.Select(text => WebhookSecret.Parse(box.Open(text, Owner(row.WorkspaceId, row.Id))).Value)];
    }

    /// <summary>The signing secret as it is kept; empty where there is no such connection.</summary>
    public static Task<string> Read(UnitOfWork<ConversionDbContext> work, SecretBox box, Guid workspaceId, Guid id, CancellationToken ct) =>
        work.Read(workspaceId, async tx =>
        {
            var closed = await tx.Connection.ExecuteScalarAsync<string>(new CommandDefinition(
                "select secret from crm_connection where workspace_id = @workspaceId and id = @id", new { workspaceId, id },
                    cancellationToken: ct));
            return closed is null ? "" : box.Open(closed, Owner(workspaceId, id));
        }, ct);
}
