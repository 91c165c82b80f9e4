using Lifecycle.Gateway.Routes;
using Microsoft.Extensions.Options;

namespace Lifecycle.Gateway.Http;

/// <summary>
/// Lets pages of other origins call: ingest from anywhere (the publishable key in a page is no secret), the rest from the configured
/// origins. Keys are sent as headers, never as cookies, so no credentials are allowed.
/// </summary>
internal sealed class Cors(RequestDelegate next, IOptions<GatewayOptions> options)
{
    private static readonly HashSet<string> IngestPaths =
        ExtraRoutes.All.Where(route => route.Metadata.OfType<IngestEndpoint>().Any() || route.Path == "/t.js").Select(route => route.Path)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    private readonly HashSet<string> origins = options.Value.CorsOrigins.Select(origin => origin.TrimEnd('/'))
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0)
        {
            return next(context);
        }

        var headers = context.Response.Headers;
        headers.Append("Vary", "Origin");
        var isIngest = IngestPaths.Contains(context.Request.Path.Value ?? "");
        var allowed = isIngest || origins.Contains(origin) || origins.Contains("*");
        if (allowed)
        {
            headers.AccessControlAllowOrigin = isIngest ? "*" : origin;
            headers.AccessControlExposeHeaders = "Retry-After, X-Request-Id, grpc-status, grpc-message, grpc-status-details-bin";
        }

        if (!HttpMethods.IsOptions(context.Request.Method) || context.Request.Headers.AccessControlRequestMethod.Count == 0)
        {
            return next(context);
        }

        if (allowed)
        {
            headers.AccessControlAllowMethods = isIngest ? "GET, POST" : "GET, POST, PUT, PATCH, DELETE";
            headers.AccessControlAllowHeaders =
                "Authorization, Content-Type, Content-Encoding, Idempotency-Key, X-Workspace-Id, X-Grpc-Web, X-User-Agent, grpc-timeout";
            headers.AccessControlMaxAge = "7200";
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
