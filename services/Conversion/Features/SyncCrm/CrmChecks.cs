using System.Text.Json;
using Lifecycle.Conversion.Domain.Crm;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.AspNetCore.WebUtilities;
using Mapping = Lifecycle.Conversion.Domain.Crm.CrmMapping;

namespace Lifecycle.Conversion.Features.SyncCrm;

/// <summary>Checks of what connections are told, and connections as messages.</summary>
internal static class CrmChecks
{
    private const int MaxUrl = 2000;

    public static void Outbound(CrmOutbound? outbound, Violations violations)
    {
        if (outbound is null)
        {
            return;
        }

        Url(outbound.Url, "outbound.url", violations);
        violations.Require(outbound.FieldMap.Count <= 200, "outbound.fieldMap", "outbound.fieldMap has at most 200 fields.");
        foreach (var (field, pointer) in outbound.FieldMap)
        {
            violations.Require(
                field.Length is >= 1 and <= 200 && JsonPointer.IsSound(pointer), "outbound.fieldMap",
                $"{field}: {pointer} is no JSON pointer such as /firstTouch/source.");
        }
    }

    /// <summary>The mapping; the default one where none is given.</summary>
    public static Mapping Read(V1.CrmMapping? message, string items, string field, Violations violations)
    {
        var mapping = new Mapping(
            message is { Items.Length: > 0 } ? message.Items : items, message?.Fields.ToDictionary() ?? [],
                message?.Stages.ToDictionary() ?? []);
        mapping.Check(field, violations);
        return mapping;
    }

    public static Mapping Pull(CrmPull? pull, Violations violations)
    {
        var mapping = Read(pull?.Mapping, "/items", "pull.mapping", violations);
        if (pull is not null)
        {
            Url(CrmPullAddress.Fill(pull.Url, DateTimeOffset.UnixEpoch, ""), "pull.url", violations);
            violations.Require(
                pull.AuthHeader.Length <= 100 && pull.AuthHeader.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'),
                "pull.authHeader", "pull.authHeader must be the name of a header such as Authorization.");
            violations.Require(
                pull.AuthSecret.Length <= 4000 && !pull.AuthSecret.Any(char.IsControl), "pull.authSecret",
                    "pull.authSecret has at most 4000 characters, on one line.");
            violations.Require(JsonPointer.IsSound(pull.NextCursor), "pull.nextCursor",
                "pull.nextCursor must be a JSON pointer such as /next.");
            violations.Require(
                pull.IntervalSeconds is 0 or (>= 10 and <= 86_400), "pull.intervalSeconds",
                    "pull.intervalSeconds must lie between 10 and 86400.");
        }

        return mapping;
    }

    public static string Json(Mapping mapping) => JsonSerializer.Serialize(mapping, JsonSerializerOptions.Web);

    public static Mapping ReadMapping(string json) => JsonSerializer.Deserialize<Mapping>(json, JsonSerializerOptions.Web)!;

    public static void Url(string url, string field, Violations violations) => violations.Require(
        url.Length == 0 || (url.Length <= MaxUrl && Uri.TryCreate(url, UriKind.Absolute, out var address)
            && address.Scheme is "https" or "http"
            && address.UserInfo.Length == 0),
        field, $"{field} must be an address such as https://crm.example/webhooks.");

    public static CrmConnection ToProto(this CrmConnectionRow row)
    {
        var connection = new CrmConnection
        {
            Id = row.Id.ToString(),
            DisplayName = row.DisplayName,
            State = row.Enabled ? CrmConnection.Types.State.Enabled : CrmConnection.Types.State.Disabled,
            DisableReason = row.DisableReason ?? "",
            Inbound = ReadMapping(row.Inbound).ToProto(),
            InboundPath = $"/v1/crm/{InboundToken.Of(row.WorkspaceId, row.Id)}/inbound",
            CreateTime = row.CreateTime.ToProto(),
            LastPullTime = row.LastPullTime.ToProto(),
            LastPullError = row.LastPullError ?? "",
        };
        if (row.OutboundUrl is { } outbound)
        {
            connection.Outbound = new CrmOutbound
            {
                Url = outbound,
                FieldMap = { JsonSerializer.Deserialize<Dictionary<string, string>>(row.FieldMap, JsonSerializerOptions.Web)! },
            };
        }

        if (row is { PullUrl: { } pull, PullMapping: { } mapping })
        {
            connection.Pull = new CrmPull
            {
                Url = pull,
                AuthHeader = row.AuthHeader,
                Mapping = ReadMapping(mapping).ToProto(),
                NextCursor = row.NextCursor,
                IntervalSeconds = row.IntervalSeconds,
            };
        }

        return connection;
    }

    public static CrmDelivery ToProto(this WebhookDeliveryRow row, IEnumerable<WebhookAttemptRow> attempts) => new()
    {
        Id = row.Id.ToString(),
        Type = row.Type,
        WebhookId = row.WebhookId,
        State = Enum.Parse<CrmDelivery.Types.State>(row.State, true),
        CreateTime = row.CreateTime.ToProto(),
        NextAttemptTime = row.DueTime.ToProto(),
        Body = row.Body,
        LeadId = row.LeadId?.ToString() ?? "",
        Attempts =
        {
            attempts.OrderBy(attempt => attempt.Time).Select(attempt => new CrmAttempt
            {
                Time = attempt.Time.ToProto(),
                Status = attempt.Status,
                Error = attempt.Error ?? "",
                Milliseconds = attempt.Milliseconds,
            }),
        },
    };

    public static CrmReceipt ToProto(this CrmReceiptRow row) => new()
    {
        WebhookId = row.WebhookId,
        ReceiveTime = row.ReceiveTime.ToProto(),
        Applied = row.Applied,
        Unchanged = row.Unchanged,
        Ignored = row.Ignored,
        Rejected = row.Rejected,
        Errors = { row.Errors },
    };

    private static V1.CrmMapping ToProto(this Mapping mapping) =>
        new() { Items = mapping.Items, Fields = { mapping.Fields.ToDictionary() }, Stages = { mapping.Stages.ToDictionary() } };
}

/// <summary>
/// Workspace and connection in one word. It is no secret: what comes in is believed for its signature. Without the workspace nobody could
/// read the connection, for no transaction sees more than one workspace.
/// </summary>
internal static class InboundToken
{
    public static string Of(Guid workspaceId, Guid connectionId) =>
        WebEncoders.Base64UrlEncode([.. workspaceId.ToByteArray(bigEndian: true), .. connectionId.ToByteArray(bigEndian: true)]);

    public static (Guid WorkspaceId, Guid ConnectionId)? Read(string token)
    {
        if (token.Length != 43)
        {
            return null;
        }

        try
        {
            var bytes = WebEncoders.Base64UrlDecode(token);
            return bytes.Length == 32 ? (new(bytes.AsSpan(0, 16), bigEndian: true), new(bytes.AsSpan(16), bigEndian: true)) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
