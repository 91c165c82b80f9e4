using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.V1;

namespace Lifecycle.Nurture.Features.ManageMailSettings;

/// <summary>What the settings must keep to.</summary>
internal static partial class MailSettingsRules
{
    private const int MaxLimits = 200;
    private const int MaxPerMinute = 1_000_000;

    /// <summary>Every fault of the settings.</summary>
    public static Violations Check(MailSettings settings)
    {
        var violations = new Violations();
        violations.Require(settings.FromName.Length <= 200, "settings.fromName", "fromName has at most 200 characters.");
        CheckAddress(violations, settings.FromAddress, "settings.fromAddress");
        CheckAddress(violations, settings.ReplyTo, "settings.replyTo");
        CheckAddress(violations, settings.BounceAddress, "settings.bounceAddress");
        violations.Require(
            settings.PerMinute is >= 0 and <= MaxPerMinute, "settings.perMinute", $"perMinute must be 0 (no limit) to {MaxPerMinute}.");
        violations.Require(
            settings.SoftBounceLimit is >= 0 and <= 100, "settings.softBounceLimit", "softBounceLimit must be 1 to 100, or 0 for 5.");
        violations.Require(
            settings.DomainLimits.Count <= MaxLimits, "settings.domainLimits", $"There are at most {MaxLimits} domainLimits.");
        foreach (var (index, limit) in settings.DomainLimits.Index())
        {
            var field = $"settings.domainLimits[{index}]";
            violations.Require(Domain(limit.Domain) is not null, $"{field}.domain", "domain must be a domain such as example.com.");
            violations.Require(
                limit.PerMinute is >= 1 and <= MaxPerMinute, $"{field}.perMinute", $"perMinute must be 1 to {MaxPerMinute}.");
        }

        violations.Require(
            settings.DomainLimits.DistinctBy(limit => Domain(limit.Domain)).Count() == settings.DomainLimits.Count,
            "settings.domainLimits",
            "A domain has one limit.");
        if (settings.Relay is { } relay)
        {
            Check(violations, relay);
        }

        return violations;
    }

    /// <summary>A domain in comparable form; null for none.</summary>
    public static string? Domain(string text) =>
        EmailAddress.Normalize("a@" + text.Trim().TrimEnd('.')) is { } address ? address[2..] : null;

    private static void Check(Violations violations, MailRelay relay)
    {
        violations.Require(
            relay.Host.Length <= 253 && Host().IsMatch(relay.Host), "settings.relay.host", "host must be a host name or an address.");
        violations.Require(relay.Port is >= 0 and <= 65535, "settings.relay.port", "port must be 1 to 65535, or 0 for the usual one.");
        violations.Require(Enum.IsDefined(relay.TlsMode), "settings.relay.tlsMode", "tlsMode must be NONE, STARTTLS or IMPLICIT.");
        violations.Require(
            relay.TlsMode != MailRelay.Types.TlsMode.None || relay.UserName.Length == 0,
            "settings.relay.tlsMode",
            "A password is not sent without TLS: tlsMode must be STARTTLS or IMPLICIT where there is a userName.");
        violations.Require(
            relay.UserName.Length <= 320 && !relay.UserName.Any(char.IsControl), "settings.relay.userName",
            "userName has at most 320 characters.");
        violations.Require(
            relay.Password.Length <= 1000 && !relay.Password.Any(char.IsControl), "settings.relay.password",
            "password has at most 1000 characters.");
        violations.Require(
            relay.TrustedCertificate.Length <= 20_000 && IsCertificate(relay.TrustedCertificate),
            "settings.relay.trustedCertificate",
            "trustedCertificate must be a certificate as PEM.");
    }

    private static bool IsCertificate(string pem)
    {
        if (pem.Length == 0)
        {
            return true;
        }

        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(pem);
            return certificates.Count > 0;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return false;
        }
    }

    private static void CheckAddress(Violations violations, string address, string field) => violations.Require(
        address.Length == 0 || EmailAddress.Normalize(address) is not null, field, $"{field} must be an address such as ada@example.com.");

    [GeneratedRegex("^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Host();
}
