using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;

namespace Lifecycle.Gateway.Http;

/// <summary>
/// Lets browsers, which cannot read HTTP trailers, call gRPC methods: translates gRPC-Web (binary and text, over HTTP/1.1 or 2) into gRPC
/// and the answer back, after PROTOCOL-WEB.md of grpc/grpc. What follows in the pipeline sees plain gRPC.
/// </summary>
internal sealed class GrpcWeb(RequestDelegate next)
{
    private const string Grpc = "application/grpc";
    private const string Web = "application/grpc-web";
    private const string WebText = "application/grpc-web-text";

    public async Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentType is not { } type || !type.StartsWith(Web, StringComparison.OrdinalIgnoreCase))
        {
            await next(context);
            return;
        }

        var isText = type.StartsWith(WebText, StringComparison.OrdinalIgnoreCase);
        var suffix = type[(isText ? WebText : Web).Length..];
        request.ContentType = Grpc + suffix;
        request.Headers.TE = "trailers";
        if (isText)
        {
            request.ContentLength = null;
            request.Body = new CryptoStream(request.Body, new FromBase64Transform(), CryptoStreamMode.Read, leaveOpen: true);
        }

        var (protocol, body) = (request.Protocol, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>());
        // gRPC servers refuse anything below HTTP/2.
        request.Protocol = HttpProtocol.Http2;
        var answer = new GrpcWebAnswer(body, isText);
        context.Features.Set<IHttpResponseTrailersFeature>(answer);
        context.Features.Set<IHttpResponseBodyFeature>(answer);
        context.Response.OnStarting(() =>
        {
            if (context.Response.ContentType?.StartsWith(Grpc, StringComparison.OrdinalIgnoreCase) == true)
            {
                context.Response.ContentType = (isText ? WebText : Web) + suffix;
                context.Response.ContentLength = null;
            }

            return Task.CompletedTask;
        });
        try
        {
            await next(context);
            await answer.WriteTrailers();
        }
        finally
        {
            request.Protocol = protocol;
            context.Features.Set(body);
        }
    }
}
