using Lifecycle.Capture.Domain;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Tracking;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Lifecycle.Capture.Features.ServeTracking;

/// <summary>What pages load: the script, the number to show, and the pixel for pages without scripts.</summary>
internal static class TrackingEndpoints
{
    private const string Scope = "capture:write";
    private const int MaxUrl = 8192;

    public static void MapTracking(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods("/t.js", [HttpMethods.Get, HttpMethods.Head], ServeScript).AllowPublic();
        endpoints.MapGet("/t/number", ChooseNumber).RequireScope(Scope);
        endpoints.MapGet("/t.gif", TrackingPixel.Take).RequireScope(Scope);
    }

    // The gateway lets the request pass without a key, and says whose it is where there is a good one.
    private static async Task<IResult> ServeScript(
        HttpContext http, TrackingSites sites, IdentityToken tokens, IOptions<CaptureOptions> options)
    {
        var known = tokens.Verify(http.Request.Headers[IdentityToken.Header].ToString()).TryGet(out var caller, out _)
            && caller.HasScope(Scope);
        var script = known ? (await sites.Get(caller!.WorkspaceId, http.RequestAborted)).Script : TrackingScript.Bare;
        var headers = http.Response.Headers;
        headers.CacheControl = $"public, max-age={options.Value.ScriptCacheSeconds}";
        headers.Vary = HeaderNames.AcceptEncoding;
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        var compressed = http.Request.GetTypedHeaders().AcceptEncoding.Any(
            accepted => accepted.Value == "gzip" && accepted.Quality is not 0);
        if (compressed)
        {
            headers.ContentEncoding = "gzip";
        }

        return Results.Bytes(compressed ? script.Compressed : script.Plain, "text/javascript; charset=utf-8", entityTag: script.Tag);
    }

    // Query: u page, r referrer. 204 for a direct visit, which keeps the number it has; {} where the number that stands in the pages is
    // right.
    private static async Task<IResult> ChooseNumber(HttpContext http, TrackingSites sites, ChannelsCache channels)
    {
        http.Response.Headers.CacheControl = "no-store";
        var (url, referrer) = (http.Request.Query["u"].FirstOrDefault(), http.Request.Query["r"].FirstOrDefault());
        var sources = await channels.Get(http.Caller().WorkspaceId);
        var visit = sources.Read(new(Texts.Clip(url, MaxUrl), Texts.Clip(referrer, MaxUrl), null, null, null, null));
        if (visit.Kind is EvidenceKind.None or EvidenceKind.Direct)
        {
            return Results.NoContent();
        }

        var site = await sites.Get(http.Caller().WorkspaceId, http.RequestAborted);
        return TrackingNumber.For(site.Settings.Numbers, visit) is { } number
            ? Results.Json(new PhoneNumber(number.Number, number.DisplayNumber), ScriptJson.Default.PhoneNumber)
            : Results.Text("{}", "application/json");
    }
}
