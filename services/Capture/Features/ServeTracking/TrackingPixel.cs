using System.Text.Json;
using Lifecycle.Capture.Domain.Tracking;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Rpc;
using SameSite = Microsoft.AspNetCore.Http.SameSiteMode;

namespace Lifecycle.Capture.Features.ServeTracking;

/// <summary>The tracking pixel, for pages without scripts.</summary>
internal static partial class TrackingPixel
{
    /// <summary>First-party cookie in which script and pixel keep the visitor's id.</summary>
    private const string Cookie = "lc_id";

    /// <summary>The visitor's choice, as the script keeps it.</summary>
    private const string ConsentCookie = "lc_consent";

    private const int MaxCookie = 100;

    /// <summary>A transparent image of one pixel.</summary>
    private static readonly byte[] Image = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    /// <summary>
    /// Records a page view. Query: <c>u</c> page (else the Referer), <c>r</c> referrer, <c>t</c> title, <c>a</c> visitor id (else the
    /// cookie's), <c>c=1</c> the visitor consents.
    /// </summary>
    public static async Task<IResult> Take(HttpContext http, Ingest ingest, TrackingSites sites, TimeProvider time)
    {
        var query = http.Request.Query;
        var settings = (await sites.Get(http.Caller().WorkspaceId, http.RequestAborted)).Settings;
        var refused = IsRefused(http, settings);
        var visitor = query["a"].FirstOrDefault() is { Length: > 0 } given ? given : http.Request.Cookies[Cookie];
        if (visitor is not { Length: > 0 and <= MaxCookie })
        {
            visitor = Guid.CreateVersion7(time.GetUtcNow()).ToString();
            if (!refused)
            {
                Remember(http, settings, visitor);
            }
        }

        var message = JsonSerializer.SerializeToElement(new
        {
            anonymousId = visitor,
            context = new
            {
                page = new
                {
                    url = query["u"].FirstOrDefault() ?? http.Request.GetTypedHeaders().Referer?.ToString(),
                    referrer = query["r"].FirstOrDefault(),
                    title = query["t"].FirstOrDefault(),
                },
                consent = !refused,
            },
        });
        var bot = SenderSignals.BotOf(http, ingest.Options, ingest.Networks);
        if (!(await ingest.Take(http.Caller().WorkspaceId, message, "page", http.Request.Headers.UserAgent.ToString(), bot))
            .TryGet(out _, out var error))
        {
            LogRefused(ingest.Logger, error.Message);
        }

        // A page shows the image whatever became of the visit.
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return Results.Bytes(Image, "image/gif");
    }

    private static bool IsRefused(HttpContext http, TrackingSettings settings)
    {
        var choice = http.Request.Query["c"].FirstOrDefault() ?? http.Request.Cookies[ConsentCookie];
        return http.Request.Headers["Sec-GPC"] == "1" || (settings.RespectDnt && http.Request.Headers["DNT"] == "1") || choice == "0"
            || (settings.RequireConsent && choice != "1");
    }

    // Behind the gateway the connection says neither the scheme nor the host that the browser sees.
    private static void Remember(HttpContext http, TrackingSettings settings, string visitor)
    {
        var secure = http.Request.IsHttps || http.Request.Headers["X-Forwarded-Proto"] == "https";
        var host = new HostString(http.Request.Headers["X-Forwarded-Host"].FirstOrDefault() ?? http.Request.Host.Value ?? "").Host;
        var isShared = settings.CookieDomain.Length > 0
            && (host == settings.CookieDomain || host.EndsWith("." + settings.CookieDomain, StringComparison.OrdinalIgnoreCase));
        http.Response.Cookies.Append(Cookie, visitor, new CookieOptions
        {
            Domain = isShared ? settings.CookieDomain : null,
            MaxAge = TimeSpan.FromDays(settings.CookieDays),
            Secure = secure,
            // Elsewhere than on the site's own domain only a cookie marked so comes back.
            SameSite = secure && !isShared ? SameSite.None : SameSite.Lax,
        });
    }

    [LoggerMessage(EventId = 3004, Level = LogLevel.Debug, Message = "A pixel recorded nothing: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
