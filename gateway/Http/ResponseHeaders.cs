using Lifecycle.Rpc;

namespace Lifecycle.Gateway.Http;

/// <summary>Security headers of every answer, and the id under which its trace is found.</summary>
internal sealed class ResponseHeaders(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        context.Response.OnStarting(static state =>
        {
            var context = (HttpContext)state;
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["X-Request-Id"] = Problem.TraceIdOf(context);
            headers.Remove("Server");
            if (context.Request.IsHttps)
            {
                headers.StrictTransportSecurity = "max-age=31536000";
            }

            // Pages say for themselves what they load; anything else is not to be shown as one.
            if (headers.ContentSecurityPolicy.Count == 0)
            {
                headers.ContentSecurityPolicy = IsPage(headers.ContentType.ToString())
                    ? "frame-ancestors 'none'"
                    : "default-src 'none'; frame-ancestors 'none'";
            }

            return Task.CompletedTask;
        }, context);
        return next(context);
    }

    private static bool IsPage(string contentType) => contentType.StartsWith("text/html", StringComparison.OrdinalIgnoreCase);
}
