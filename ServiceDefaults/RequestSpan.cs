using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Lifecycle.ServiceDefaults;

/// <summary>
/// Names a request's span by its route, which the built-in source leaves at the framework's name, and drops the spans that would drown
/// everything else: those of health probes, and of frequent endpoints all but some a second. What follows in other services goes by the
/// dropped flag.
/// </summary>
internal sealed class RequestSpan(RequestDelegate next, IOptions<TelemetryOptions> options, TimeProvider time)
{
    private readonly Lock gate = new();
    private long second;
    private int recorded;

    public const string AlivePath = "/alive";
    public const string HealthPath = "/health";

    public async Task InvokeAsync(HttpContext context)
    {
        var activity = Activity.Current;
        if (activity is { IsAllDataRequested: true }
            && (context.Request.Path == HealthPath || context.Request.Path == AlivePath
                || (context.GetEndpoint()?.Metadata.GetMetadata<FrequentEndpoint>() is not null && !Records())))
        {
            activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            activity.IsAllDataRequested = false;
            activity = null;
        }

        await next(context);
        if (activity is { IsAllDataRequested: true })
        {
            var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
            activity.DisplayName = route is null ? context.Request.Method : $"{context.Request.Method} {route}";
            activity.SetTag("http.route", route);
            if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError)
            {
                activity.SetStatus(ActivityStatusCode.Error);
            }
        }
    }

    private bool Records()
    {
        lock (gate)
        {
            var now = time.GetUtcNow().ToUnixTimeSeconds();
            (second, recorded) = (now, now == second ? recorded + 1 : 1);
            return recorded <= options.Value.FrequentTracesPerSecond;
        }
    }
}
