using Lifecycle.Capture.Domain;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using PhoneNumber = Lifecycle.Capture.Domain.Tracking.PhoneNumber;
using PhoneNumberMessage = Lifecycle.Capture.V1.PhoneNumber;
using TrackingNumber = Lifecycle.Capture.Domain.Tracking.TrackingNumber;
using TrackingNumberMessage = Lifecycle.Capture.V1.TrackingNumber;
using TrackingSettings = Lifecycle.Capture.Domain.Tracking.TrackingSettings;
using TrackingSettingsMessage = Lifecycle.Capture.V1.TrackingSettings;

namespace Lifecycle.Capture.Features.ChangeTracking;

/// <summary>Settings from and to their messages.</summary>
internal static class TrackingRequests
{
    private const int MaxDomains = 100;
    private const int MaxExtensions = 100;
    private const int MaxNumbers = 500;
    private const int MaxCondition = 200;
    private const int MaxDisplay = 40;

    /// <summary>The settings in the form in which they are kept, or every fault.</summary>
    public static Result<TrackingSettings> Read(UpdateTrackingRequest request)
    {
        var violations = new Violations();
        var days = request.CookieDays;
        violations.Require(
            days is 0 or (>= 1 and <= TrackingSettings.MaxCookieDays),
            "cookieDays", $"cookieDays must be from 1 to {TrackingSettings.MaxCookieDays}.");
        violations.Require(request.OwnDomains.Count <= MaxDomains, "ownDomains", $"At most {MaxDomains} domains are kept.");
        violations.Require(
            request.DownloadExtensions.Count <= MaxExtensions, "downloadExtensions", $"At most {MaxExtensions} extensions are kept.");
        violations.Require(request.Numbers.Count <= MaxNumbers, "numbers", $"At most {MaxNumbers} numbers are kept.");
        var settings = new TrackingSettings
        {
            CookieDomain = request.CookieDomain.Length == 0 ? "" : Domain(request.CookieDomain, "cookieDomain", violations),
            CookieDays = days == 0 ? TrackingSettings.DefaultCookieDays : days,
            RequireConsent = request.RequireConsent,
            RespectDnt = !request.HasRespectDnt || request.RespectDnt,
            OwnDomains = request.OwnDomains.Take(MaxDomains)
                .Select((domain, index) => Domain(domain, $"ownDomains[{index}]", violations)).Distinct().ToArray(),
            DownloadExtensions = request.DownloadExtensions.Count == 0
                ? TrackingSettings.DefaultDownloadExtensions
                : request.DownloadExtensions.Take(MaxExtensions)
                    .Select((text, index) => Extension(text, $"downloadExtensions[{index}]", violations)).Distinct().ToArray(),
            DefaultNumber = request.DefaultNumber is { } standing
                ? new PhoneNumber(
                    Number(standing.Number, "defaultNumber.number", violations),
                    Display(standing.DisplayNumber, standing.Number, "defaultNumber", violations))
                : null,
        };
        settings = settings with { Numbers = Numbers(request.Numbers.Take(MaxNumbers), settings.DefaultNumber, violations) };
        return violations.ToError() is { } error ? error : settings;
    }

    /// <param name="settings">The settings.</param>
    /// <param name="updated">When they were put; null for the defaults.</param>
    public static TrackingSettingsMessage ToProto(TrackingSettings settings, DateTimeOffset? updated) => new()
    {
        CookieDomain = settings.CookieDomain,
        CookieDays = settings.CookieDays,
        RequireConsent = settings.RequireConsent,
        RespectDnt = settings.RespectDnt,
        OwnDomains = { settings.OwnDomains },
        DownloadExtensions = { settings.DownloadExtensions },
        DefaultNumber = settings.DefaultNumber is { } number
            ? new PhoneNumberMessage { Number = number.Number, DisplayNumber = number.DisplayNumber }
            : null,
        Numbers =
        {
            settings.Numbers.Select(one => new TrackingNumberMessage
            {
                Number = one.Number,
                DisplayNumber = one.DisplayNumber,
                Source = one.Source ?? "",
                Medium = one.Medium ?? "",
                Campaign = one.Campaign ?? "",
                Channel = one.Channel ?? "",
            }),
        },
        UpdateTime = updated.ToProto(),
    };

    private static TrackingNumber[] Numbers(IEnumerable<TrackingNumberMessage> messages, PhoneNumber? standing, Violations violations)
    {
        var numbers = new List<TrackingNumber>();
        foreach (var (message, index) in messages.Select((message, index) => (message, index)))
        {
            var at = $"numbers[{index}]";
            var number = new TrackingNumber(
                Number(message.Number, $"{at}.number", violations),
                Display(message.DisplayNumber, message.Number, at, violations),
                Condition(message.Source, $"{at}.source", violations)?.ToLowerInvariant(),
                Condition(message.Medium, $"{at}.medium", violations)?.ToLowerInvariant(),
                Condition(message.Campaign, $"{at}.campaign", violations),
                Condition(message.Channel, $"{at}.channel", violations));
            violations.Require(
                number is not { Source: null, Medium: null, Campaign: null, Channel: null },
                at, $"{at} needs a source, medium, campaign or channel.");
            violations.Require(
                number.Number.Length == 0 || number.Number != standing?.Number, $"{at}.number", $"{at}.number is the default number.");
            violations.Require(
                number.Number.Length == 0 || numbers.TrueForAll(other => other.Number != number.Number),
                $"{at}.number", $"{number.Number} is given twice.");
            violations.Require(
                numbers.TrueForAll(other => (other with { Number = number.Number, DisplayNumber = number.DisplayNumber }) != number),
                at, $"{at} has the same conditions as an earlier number and would never be shown.");
            numbers.Add(number);
        }

        return numbers.ToArray();
    }

    private static string Domain(string text, string field, Violations violations)
    {
        var domain = DomainName.Normal(text.Trim().Trim('.'));
        violations.Require(
            domain.Length <= 253 && domain.Contains('.', StringComparison.Ordinal) && Uri.CheckHostName(domain) == UriHostNameType.Dns,
            field, $"{field} must be a domain such as acme.com.");
        return domain;
    }

    private static string Extension(string text, string field, Violations violations)
    {
        var extension = text.Trim().TrimStart('.').ToLowerInvariant();
        violations.Require(
            extension.Length is > 0 and <= 10 && extension.All(char.IsAsciiLetterOrDigit),
            field, $"{field} must be 1 to 10 letters or digits, such as pdf.");
        return extension;
    }

    private static string Number(string text, string field, Violations violations) =>
        violations.Require(
            ContactPoints.TryPhone(text, out var phone) && phone.StartsWith('+'),
            field, $"{field} must be a number with its country's code, such as +15550100100.")
            ? phone!
            : "";

    // The script keeps what it shows in a cookie, parted by a bar.
    private static string Display(string text, string number, string at, Violations violations)
    {
        var display = Texts.Clip(text.Length == 0 ? number : text, MaxDisplay + 1) ?? "";
        violations.Require(
            display.Length <= MaxDisplay && !display.Any(character => character == '|' || char.IsControl(character)),
            $"{at}.displayNumber",
            $"{at}.displayNumber must have at most {MaxDisplay} characters, none of them a bar or a control character.");
        return display;
    }

    private static string? Condition(string text, string field, Violations violations)
    {
        violations.Require(
            text.Length <= MaxCondition, field, $"{field} has {text.Length} characters; at most {MaxCondition} are accepted.");
        return Texts.Clip(text, MaxCondition);
    }
}
