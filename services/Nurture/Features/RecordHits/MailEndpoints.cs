using System.Net;
using System.Text;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Domain.Engagements;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.RecordHits;

/// <summary>
/// What the links in mails lead to: the pixel <c>/e/o/{token}</c>, the links <c>/e/c/{token}</c>, unsubscribing <c>/e/u/{token}</c> (RFC
/// 8058: only a POST unsubscribes, so that no scanner can). Public; the token stands for the right to.
/// </summary>
internal static class MailEndpoints
{
    /// <summary>One transparent pixel.</summary>
    private static readonly byte[] Pixel = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    public static void MapMailEndpoints(this IEndpointRouteBuilder endpoints)
    {
        string[] read = [HttpMethods.Get, HttpMethods.Head];
        endpoints.MapMethods("/e/o/{token}", read, Open).AllowPublic();
        endpoints.MapMethods("/e/c/{token}", read, Click).AllowPublic();
        endpoints.MapMethods("/e/u/{token}", read, ShowUnsubscribe).AllowPublic();
        endpoints.MapPost("/e/u/{token}", Unsubscribe).AllowPublic();
    }

    private static async Task<IResult> Open(string token, HttpContext context, MailLinks links, RecordHitHandler hits)
    {
        if (links.Read(token, LinkKind.Open) is { } opened)
        {
            await hits.Record(opened, EngagementKind.Open, Visit(context), context.RequestAborted);
        }

        // The same answer for a token that is none: a mail shows no broken picture, and nobody learns what is a token.
        context.Response.Headers.CacheControl = "no-store, private";
        return Results.Bytes(Pixel, "image/gif");
    }

    private static async Task<IResult> Click(string token, HttpContext context, MailLinks links, RecordHitHandler hits)
    {
        context.Response.Headers.CacheControl = "no-store, private";
        var target = links.Read(token, LinkKind.Click) is { } clicked
            ? await hits.Record(clicked, EngagementKind.Click, Visit(context), context.RequestAborted)
            : null;
        return target switch
        {
            null => Page(StatusCodes.Status404NotFound, "This link is not valid", "<p>The address is incomplete or no longer in use.</p>"),
            "" => Results.NoContent(),
            _ => Results.Redirect(target),
        };
    }

    private static IResult ShowUnsubscribe(string token, HttpContext context, MailLinks links)
    {
        context.Response.Headers.CacheControl = "no-store, private";
        return links.Read(token, LinkKind.Unsubscribe) is null
            ? NotValid()
            : Page(
                StatusCodes.Status200OK,
                "Unsubscribe",
                """
                <p>You will get no more e-mail from us.</p>
                <form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button type="submit">Unsubscribe</button></form>
                """);
    }

    private static async Task<IResult> Unsubscribe(string token, HttpContext context, MailLinks links, UnsubscribeHandler handler)
    {
        context.Response.Headers.CacheControl = "no-store, private";
        var isThere = links.Read(token, LinkKind.Unsubscribe) is { } unsubscribe
            && await handler.Unsubscribe(unsubscribe, Visit(context), context.RequestAborted);
        return isThere
            ? Page(StatusCodes.Status200OK, "You are unsubscribed", "<p>You will get no more e-mail from us. You may close this page.</p>")
            : NotValid();
    }

    /// <summary>The gateway names the client in <c>X-Forwarded-For</c>; services listen to nobody else.</summary>
    private static Visit Visit(HttpContext context)
    {
        var client = context.Request.Headers["X-Forwarded-For"].ToString().Split(',')[0].Trim();
        var userAgent = context.Request.Headers.UserAgent.ToString();
        return new(
            context.Request.Method,
            userAgent.Length <= 500 ? userAgent : userAgent[..500],
            client.Length > 0 ? client : context.Connection.RemoteIpAddress?.ToString() ?? "");
    }

    private static IResult NotValid() =>
        Page(StatusCodes.Status404NotFound, "This link is not valid", "<p>Use the unsubscribe link of a newer e-mail.</p>");

    private static IResult Page(int status, string title, string body) => Results.Content(
        $$"""
        <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex"><title>{{WebUtility.HtmlEncode(title)}}</title>
        <style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;color:#1b1b1b;background:#fff}
        button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#1b4fd1;color:#fff;cursor:pointer}
        button:focus-visible{outline:3px solid #f2a900;outline-offset:2px}</style></head>
        <body><main><h1>{{WebUtility.HtmlEncode(title)}}</h1>{{body}}</main></body></html>
        """,
        "text/html",
        Encoding.UTF8,
        status);
}

/// <summary>Who came and how.</summary>
/// <param name="Client">Address of the client; only a hash of it is kept.</param>
internal sealed record Visit(string Method, string UserAgent, string Client);
