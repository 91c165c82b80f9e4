using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Lifecycle.ServiceDefaults;

/// <summary>
/// Names a request's span by its route, which the built-in source leaves at the framework's name, and drops the spans of health probes, which would
/// drown everything else.
/// </summary>
internal sealed class RequestSpan(RequestDelegate next)
{
    public const string AlivePath = "/alive";
    public const string HealthPath = "/health";

    public async Task InvokeAsync(HttpContext context)
    {
        var activity = Activity.Current;
        if (activity is not null && (context.Request.Path == HealthPath || context.Request.Path == AlivePath))
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
}
