using Lifecycle.Capture.Domain.Messages;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Judges the sender of a request by its headers.</summary>
internal static class SenderSignals
{
    private static readonly string[] Purposes = ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"];

    /// <summary>The robot's name; null for anybody else.</summary>
    public static string? BotOf(HttpContext http, CaptureOptions options, BotNetworks networks)
    {
        var headers = HeadersOf(http);
        return BotSignals.Find(headers, options.BotsWithoutAcceptLanguage)
            ?? (networks.Any && BotSignals.Browser(headers) is not null && networks.Contains(AddressOf(http)) ? BotNetworks.Name : null);
    }

    /// <summary>User agent of a sender that calls itself a browser; null for any other.</summary>
    public static string? BrowserOf(HttpContext http) => BotSignals.Browser(HeadersOf(http));

    // The gateway puts the address it was called from last; without one in front it is the connection's.
    private static string? AddressOf(HttpContext http) =>
        Text(http.Request.Headers["X-Forwarded-For"])?.Split(',')[^1].Trim() ?? http.Connection.RemoteIpAddress?.ToString();

    private static SenderHeaders HeadersOf(HttpContext http)
    {
        var headers = http.Request.Headers;
        var purpose = Purposes.Select(name => Text(headers[name])).FirstOrDefault(text => text is not null);
        return new(Text(headers.UserAgent), Text(headers.AcceptLanguage), purpose, Text(headers.From));
    }

    private static string? Text(Microsoft.Extensions.Primitives.StringValues value) => value.Count == 0 ? null : value.ToString();
}
