using System.Runtime.CompilerServices;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Lifecycle.Gateway.Routes;

/// <summary>What a request carries on to a service: the caller's identity instead of the key.</summary>
internal sealed class Forwarding(IdentityToken tokens, TimeProvider time)
{
    /// <summary>A token is used again for this long; it is good for three times as long.</summary>
    private static readonly TimeSpan Reuse = TimeSpan.FromSeconds(20);

    private readonly ConditionalWeakTable<Caller, Issued> issued = [];

    public void Transform(TransformBuilderContext context)
    {
        context.AddRequestTransform(transform =>
        {
            var headers = transform.ProxyRequest.Headers;
            headers.Remove("Authorization");
            headers.Remove(IdentityToken.Header);
            if (transform.HttpContext.Features.Get<Caller>() is { } caller)
            {
                headers.Add(IdentityToken.Header, Token(caller));
            }

            transform.Query.Collection.Remove("key");
            return default;
        });
    }

    private string Token(Caller caller)
    {
        var now = time.GetUtcNow();
        if (!issued.TryGetValue(caller, out var last) || now - last.At > Reuse)
        {
            issued.AddOrUpdate(caller, last = new(tokens.Issue(caller), now));
        }

        return last.Token;
    }

    /// <summary>Tells a request that could not be forwarded what happened, instead of a bare status.</summary>
    public static async Task ExplainFaults(HttpContext context, Func<Task> next)
    {
        await next();
        if (context.Features.Get<IForwarderErrorFeature>() is not { } fault || context.Response.HasStarted)
        {
            return;
        }

        context.Response.Headers.Clear();
        if (Refused(fault.Exception) is { } bad)
        {
            await Problem.ForStatus(context, bad.StatusCode).Write(context);
            return;
        }

        switch (fault.Error)
        {
            case ForwarderError.RequestTimedOut or ForwarderError.UpgradeActivityTimeout:
                await Problem.ForStatus(context, StatusCodes.Status504GatewayTimeout).Write(context);
                break;
            case ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient:
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                break;
            default:
                await Problem.Refuse(context, Error.Unavailable("The service behind this path is out of reach for the moment.") with
                {
                    RetryAfter = TimeSpan.FromSeconds(1)
                });
                break;
        }
    }

    /// <summary>The fault of the client's body, which may come together with the service's complaint that the rest is missing.</summary>
    private static BadHttpRequestException? Refused(Exception? exception) => exception switch
    {
        BadHttpRequestException bad => bad,
        AggregateException several => several.InnerExceptions.Select(Refused).FirstOrDefault(found => found is not null),
        { InnerException: { } inner } => Refused(inner),
        _ => null,
    };

    private sealed record Issued(string Token, DateTimeOffset At);
}
