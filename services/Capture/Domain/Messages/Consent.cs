using System.Text.Json;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>Reads whether a visitor lets their visits be measured.</summary>
public static class Consent
{
    /// <summary>
    /// True when <c>context.consent</c> is false or "denied", its <c>categoryPreferences</c> (or it itself) has <c>analytics</c> (or
    /// <c>analytics_storage</c>) false or "denied" in any case, or <c>context.gpc</c> (Global Privacy Control) or
    /// <c>context.consent.gpc</c> is true.
    /// </summary>
    public static bool IsDenied(JsonElement context)
    {
        if (IsTrue(context, "gpc") || IsTrue(context, "globalPrivacyControl"))
        {
            return true;
        }

        if (!context.TryGetProperty("consent", out var consent))
        {
            return false;
        }

        return Denies(consent)
            || (consent.ValueKind == JsonValueKind.Object
                && (IsTrue(consent, "gpc") || DeniesAnalytics(consent)
                    || (consent.TryGetProperty("categoryPreferences", out var preferences) && preferences.ValueKind == JsonValueKind.Object
                        && DeniesAnalytics(preferences))));
    }

    private static bool DeniesAnalytics(JsonElement preferences) =>
        preferences.EnumerateObject().Any(member =>
            (member.Name.Equals("analytics", StringComparison.OrdinalIgnoreCase)
                || member.Name.Equals("analytics_storage", StringComparison.OrdinalIgnoreCase))
            && Denies(member.Value));

    private static bool Denies(JsonElement value) =>
        value.ValueKind == JsonValueKind.False
        || (value.ValueKind == JsonValueKind.String && string.Equals(value.GetString(), "denied", StringComparison.OrdinalIgnoreCase));

    private static bool IsTrue(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value)
        && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && value.GetString() is "1" or "true"));
}
