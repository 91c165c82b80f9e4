using Grpc.Core;
using Lifecycle.Kernel;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Lifecycle.Rpc.Identity;

/// <summary>
/// Lets a request through when its endpoint is public or its caller carries the endpoint's scope: the same check for gRPC, REST and
/// anything else that is mapped. The caller is who the identity token names, unless the host has set one already. Bare error statuses of
/// later middleware (no such path, wrong verb) get a body.
/// </summary>
internal sealed class AccessMiddleware(RequestDelegate next, IdentityToken tokens)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (Refusal(context) is { } error)
        {
            await Problem.Refuse(context, error);
            return;
        }

        if (context.GetEndpoint() is null && Problem.IsGrpc(context))
        {
            Problem.RefuseGrpc(
                context, new RpcException(new Status(StatusCode.Unimplemented, $"There is no method {context.Request.Path}.")));
            return;
        }

        await next(context);
        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null }
            && !Problem.IsGrpc(context))
        {
            await Problem.ForStatus(context, context.Response.StatusCode).Write(context);
        }
    }

    private Error? Refusal(HttpContext context)
    {
        // No endpoint: nothing matched. An endpoint that is no route: routing's own answer (405, 415). Both refuse by themselves.
        // A gRPC route without metadata answers UNIMPLEMENTED.
        if (context.GetEndpoint() is not RouteEndpoint endpoint || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return null;
        }

        var access = endpoint.Metadata.GetMetadata<RpcAccess>();
        if (context.Features.Get<Caller>() is not { } caller)
        {
            var token = context.Request.Headers[IdentityToken.Header].ToString();
            if (token.Length == 0)
            {
                return new(ErrorKind.Unauthenticated, "The call carries no identity.");
            }

            if (!tokens.Verify(token).TryGet(out caller, out var error))
            {
                return error;
            }

            context.SetCaller(caller);
        }

        return access switch
        {
            null => new(ErrorKind.PermissionDenied, "The endpoint states no scope and is therefore closed."),
            { Scope: "" } => null,
            _ when caller.HasScope(access.Scope) => null,
            _ => new(ErrorKind.PermissionDenied, $"The key lacks the scope {access.Scope}."),
        };
    }
}
