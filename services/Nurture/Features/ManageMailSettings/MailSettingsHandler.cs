using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Nurture.Features.ManageMailSettings;

/// <summary>Keeps a workspace's settings.</summary>
internal sealed class MailSettingsHandler(SecretBox secrets)
{
    /// <summary>Replaces the settings.</summary>
    public async Task<Result<MailSettings>> Update(Transaction<NurtureDbContext> tx, MailSettings settings)
    {
        var row = await tx.Db.MailSettings.FirstOrDefaultAsync(one => one.WorkspaceId == tx.WorkspaceId, tx.CancellationToken);
        if (row is null)
        {
            row = new MailSettingsRow { WorkspaceId = tx.WorkspaceId };
            tx.Db.MailSettings.Add(row);
        }

        (row.FromName, row.FromAddress, row.ReplyTo, row.BounceAddress) =
            (settings.FromName, settings.FromAddress, settings.ReplyTo, settings.BounceAddress);
        TakeRelay(row, settings.Relay ?? new());
        row.PerMinute = settings.PerMinute;
        row.DomainLimits = JsonSerializer.Serialize(
            settings.DomainLimits.ToDictionary(limit => MailSettingsRules.Domain(limit.Domain)!, limit => limit.PerMinute));
        row.SoftBounceLimit = settings.SoftBounceLimit == 0 ? 5 : settings.SoftBounceLimit;
        row.UpdateTime = tx.Now;
        await DomainPace.Reset(tx);
        return ToProto(row);
    }

    public static MailSettings ToProto(MailSettingsRow row)
    {
        var settings = new MailSettings
        {
            FromName = row.FromName,
            FromAddress = row.FromAddress,
            ReplyTo = row.ReplyTo,
            BounceAddress = row.BounceAddress,
            PerMinute = row.PerMinute,
            SoftBounceLimit = row.SoftBounceLimit,
            UpdateTime = row.UpdateTime == default ? null : row.UpdateTime.ToTimestamp(),
        };
        settings.DomainLimits.AddRange(JsonSerializer.Deserialize<SortedDictionary<string, int>>(row.DomainLimits)!
            .Select(limit => new DomainLimit { Domain = limit.Key, PerMinute = limit.Value }));
        if (row.RelayHost.Length > 0)
        {
            settings.Relay = new MailRelay
            {
                Host = row.RelayHost,
                Port = row.RelayPort,
                TlsMode = (MailRelay.Types.TlsMode)(int)System.Enum.Parse<TlsMode>(row.RelayTls),
                UserName = row.RelayUser,
                TrustedCertificate = row.RelayCertificate,
                HasPassword = row.RelayPassword.Length > 0,
            };
        }

        return settings;
    }

    private void TakeRelay(MailSettingsRow row, MailRelay relay)
    {
        // A password is told to the server and user that it was given for, and to no other that is named later.
        var isSame = row.RelayHost == relay.Host && row.RelayUser == relay.UserName;
        row.RelayPassword = relay.Password.Length > 0 ? secrets.Close(relay.Password, MailRoutes.RelayOwner(row.WorkspaceId))
            : isSame ? row.RelayPassword : "";
        var mode = relay.TlsMode == MailRelay.Types.TlsMode.Unspecified ? TlsMode.Starttls : (TlsMode)(int)relay.TlsMode;
        (row.RelayHost, row.RelayUser, row.RelayCertificate, row.RelayTls) =
            (relay.Host, relay.UserName, relay.TrustedCertificate, mode.ToString());
        row.RelayPort = relay.Port > 0 ? relay.Port : mode switch
        {
            TlsMode.None => 25,
            TlsMode.Implicit => 465,
            _ => 587,
        };
    }
}
