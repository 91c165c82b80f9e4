using System.Globalization;

namespace Capture.IntegrationTests;

/// <summary>Messages as a site sends them.</summary>
internal static class Messages
{
    public static object Page(
        string device, string time, string url = "https://acme.example/", string? referrer = null, string? id = null) => new
        {
            type = "page",
            anonymousId = device,
            messageId = id ?? $"{device}|{time}|{url}",
            timestamp = time,
            context = new { page = new { url, referrer } },
        };

    public static object Form(string device, string time, string email, string formType = "demo", object? more = null) => new
    {
        type = "track",
        @event = "Form Submitted",
        anonymousId = device,
        messageId = $"{device}|{time}|form",
        timestamp = time,
        properties = new { formType, fields = more ?? new { email } },
    };

    public static object Identify(string? device, string time, string userId, object traits) => new
    {
        type = "identify",
        anonymousId = device,
        userId,
        messageId = $"{device}|{userId}|{time}|identify",
        timestamp = time,
        traits,
    };

    /// <summary>The walk's visitor: three pages from a campaign, back two days later from LinkedIn, a white paper, a demo form.</summary>
    public static object[] Walk(string device, string email) =>
    [
        Page(device, "2026-03-02T10:00:00Z", "https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring"),
        Page(device, "2026-03-02T10:02:00Z", "https://acme.example/product", "https://acme.example/"),
        Page(device, "2026-03-02T10:05:00Z", "https://acme.example/pricing", "https://acme.example/product"),
        Page(device, "2026-03-04T09:00:00Z", "https://acme.example/whitepaper", "https://www.linkedin.com/feed"),
        new
        {
            type = "track",
            @event = "Content Downloaded",
            anonymousId = device,
            messageId = $"{device}|download",
            timestamp = "2026-03-04T09:03:00Z",
            properties = new { title = "White paper" }
        },
        Form(device, "2026-03-04T09:05:00Z", email, "demo", new { email, title = "VP Engineering", companySize = "250", company = "Acme" }),
    ];

    public static string At(DateTimeOffset start, double minutes) =>
        start.AddMinutes(minutes).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
