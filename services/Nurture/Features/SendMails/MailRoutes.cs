using System.Text.Json;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>How a workspace sends, ready for use.</summary>
/// <param name="Settings">The settings, or defaults.</param>
/// <param name="Relay">Mail server; null: the process's.</param>
/// <param name="Signers">Active keys by domain.</param>
/// <param name="Limits">Mails a minute by recipient domain.</param>
internal sealed record MailRoute(
    MailSettingsRow Settings,
    SmtpAddress? Relay,
    IReadOnlyDictionary<string, DkimSigner> Signers,
    IReadOnlyDictionary<string, int> Limits)
{
    /// <summary>Mails a minute to a domain; 0: no limit.</summary>
    public int LimitOf(string domain) => Limits.TryGetValue(domain, out var limit) ? limit : Settings.PerMinute;

    /// <summary>The key of the sender's domain, or of the nearest domain above it; null: unsigned.</summary>
    public DkimSigner? SignerOf(string fromAddress)
    {
        for (var domain = DomainOf(fromAddress); domain.Length > 0;
            domain = domain.Contains('.') ? domain[(domain.IndexOf('.') + 1)..] : "")
        {
            if (Signers.TryGetValue(domain, out var signer))
            {
                return signer;
            }
        }

        return null;
    }

    public static string DomainOf(string address) => DomainName.Normal(address[(address.LastIndexOf('@') + 1)..]);
}

/// <summary>Reads how a workspace sends.</summary>
internal sealed class MailRoutes(SecretBox secrets, IOptions<NurtureOptions> options)
{
    public async Task<MailRoute> Find(Transaction<NurtureDbContext> tx)
    {
        var settings = await Settings(tx);
        var keys = await tx.Db.DkimKeys.AsNoTracking().Where(key => key.WorkspaceId == tx.WorkspaceId && key.Active)
            .ToListAsync(tx.CancellationToken);
        return new(
            settings,
            Relay(settings),
            keys.ToDictionary(
                key => key.Domain,
                key => new DkimSigner(
                    key.Domain, key.Selector, Convert.FromBase64String(secrets.Open(key.PrivateKey, KeyOwner(key.WorkspaceId, key.Id))))),
            JsonSerializer.Deserialize<Dictionary<string, int>>(settings.DomainLimits)!);
    }

    /// <summary>The kept settings, or new ones with the defaults.</summary>
    public static async Task<MailSettingsRow> Settings(Transaction<NurtureDbContext> tx) =>
        await tx.Db.MailSettings.AsNoTracking().FirstOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId, tx.CancellationToken)
        ?? new MailSettingsRow { WorkspaceId = tx.WorkspaceId };

    public SmtpAddress? Relay(MailSettingsRow settings) => settings.RelayHost.Length == 0
        ? null
        : new SmtpAddress(
            settings.RelayHost,
            settings.RelayPort,
            settings.RelayTls == nameof(TlsMode.Implicit),
            settings.RelayUser.Length == 0 ? null : settings.RelayUser,
            settings.RelayPassword.Length == 0 ? null : secrets.Open(settings.RelayPassword, RelayOwner(settings.WorkspaceId)))
        {
            Tls = Enum.Parse<TlsMode>(settings.RelayTls),
            TrustedCertificate = settings.RelayCertificate.Length == 0 ? null : settings.RelayCertificate,
            IsForeign = true,
        };

    /// <summary>What the relay's password is sealed to.</summary>
    public static string RelayOwner(Guid workspaceId) => $"nurture relay {workspaceId}";

    /// <summary>What a private key is sealed to.</summary>
    public static string KeyOwner(Guid workspaceId, Guid keyId) => $"nurture dkim {workspaceId} {keyId}";

    /// <summary>Sender of a template's mails.</summary>
    public (string Name, string Address, string? ReplyTo) Sender(MailRoute route, EmailRow template) => (
        template.FromName.Length > 0 ? template.FromName : route.Settings.FromName,
        template.FromAddress.Length > 0 ? template.FromAddress
            : route.Settings.FromAddress.Length > 0 ? route.Settings.FromAddress : options.Value.FromAddress,
        template.ReplyTo.Length > 0 ? template.ReplyTo : route.Settings.ReplyTo.Length > 0 ? route.Settings.ReplyTo : null);
}
