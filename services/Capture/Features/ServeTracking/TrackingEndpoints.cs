using System.Security.Cryptography;
using System.Text.Json;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Rpc;
using Microsoft.Net.Http.Headers;

namespace Lifecycle.Capture.Features.ServeTracking;

/// <summary>The tracking script, and the pixel for pages without scripts.</summary>
internal static partial class TrackingEndpoints
{
    /// <summary>First-party cookie in which script and pixel keep the visitor's id.</summary>
    private const string Cookie = "lc_id";

    private const int MaxCookie = 100;

    /// <summary>A transparent image of one pixel.</summary>
    private static readonly byte[] Pixel = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    private static readonly byte[] Script = ReadScript();
    private static readonly EntityTagHeaderValue ScriptTag = new($"\"{Convert.ToHexString(SHA256.HashData(Script).AsSpan(0, 8))}\"");

    public static void MapTracking(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/t.js", (HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "public, max-age=3600";
            http.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
            return Results.Bytes(Script, "text/javascript; charset=utf-8", entityTag: ScriptTag);
        }).AllowPublic();
        endpoints.MapGet("/t.gif", TakePixel).RequireScope("capture:write");
    }

    /// <summary>The script as it is served.</summary>
    internal static byte[] ReadScript()
    {
        using var stream = typeof(TrackingEndpoints).Assembly.GetManifestResourceStream("t.js")!;
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return buffer.ToArray();
    }

    // Query: u page (else the Referer), r referrer, t title, a visitor id (else the cookie's).
    private static async Task<IResult> TakePixel(HttpContext http, Ingest ingest, TimeProvider time)
    {
        var query = http.Request.Query;
        var optedOut = http.Request.Headers["Sec-GPC"] == "1";
        var visitor = query["a"].FirstOrDefault() is { Length: > 0 } given ? given : http.Request.Cookies[Cookie];
        if (visitor is not { Length: > 0 and <= MaxCookie })
        {
            visitor = Guid.CreateVersion7(time.GetUtcNow()).ToString();
            if (!optedOut)
            {
                Remember(http, visitor);
            }
        }

        var message = JsonSerializer.SerializeToElement(new
        {
            anonymousId = visitor,
            context = new
            {
                page = new { url = query["u"].FirstOrDefault() ?? http.Request.GetTypedHeaders().Referer?.ToString(), referrer = query["r"].FirstOrDefault(), title = query["t"].FirstOrDefault() },
                gpc = optedOut,
            },
        });
        if (!(await ingest.Take(http.Caller().WorkspaceId, message, "page", http.Request.Headers.UserAgent.ToString())).TryGet(out _, out var error))
        {
            LogRefused(ingest.Logger, error.Message);
        }

        // A page shows the image whatever became of the visit.
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return Results.Bytes(Pixel, "image/gif");
    }

    private static void Remember(HttpContext http, string visitor) => http.Response.Cookies.Append(Cookie, visitor, new CookieOptions
    {
        MaxAge = TimeSpan.FromDays(396),
        Secure = http.Request.IsHttps,
        SameSite = http.Request.IsHttps ? Microsoft.AspNetCore.Http.SameSiteMode.None : Microsoft.AspNetCore.Http.SameSiteMode.Lax,
    });

    [LoggerMessage(EventId = 3004, Level = LogLevel.Debug, Message = "A pixel recorded nothing: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
