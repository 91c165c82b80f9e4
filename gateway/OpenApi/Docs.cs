using Lifecycle.Rpc;

namespace Lifecycle.Gateway.OpenApi;

/// <summary><c>/openapi/v1.json</c> and the page that shows it. The page loads nothing from elsewhere.</summary>
internal static class Docs
{
    public static void MapDocs(this IEndpointRouteBuilder endpoints)
    {
        var document = new Lazy<byte[]>(OpenApiDocument.Create);
        endpoints.MapGet("/openapi/v1.json", (HttpContext context) =>
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
            return Results.Bytes(document.Value, "application/json");
        }).AllowPublic();
        MapFile(endpoints, "/docs", "docs.html", "text/html; charset=utf-8");
        MapFile(endpoints, "/docs/docs.js", "docs.js", "text/javascript; charset=utf-8");
        MapFile(endpoints, "/docs/docs.css", "docs.css", "text/css; charset=utf-8");
    }

    private static void MapFile(IEndpointRouteBuilder endpoints, string path, string file, string contentType)
    {
        using var resource = typeof(Docs).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"{file} is not embedded.");
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        endpoints.MapMethods(path, ["GET", "HEAD"], (HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy =
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'";
            return Results.Bytes(bytes, contentType);
        }).AllowPublic();
    }
}
