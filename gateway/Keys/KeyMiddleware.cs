using System.Text;
using Lifecycle.Gateway.Limits;
using Lifecycle.Gateway.Routes;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Microsoft.AspNetCore.Authorization;

namespace Lifecycle.Gateway.Keys;

/// <summary>
/// Finds out who calls: reads the key, refuses wrong ones, holds each key to its rate, and sets the caller that the rest of the pipeline
/// and the services go by. An identity token from outside is never believed.
/// </summary>
internal sealed class KeyMiddleware(RequestDelegate next, KeyDirectory directory, KeyUse use, RateLimits limits)
{
    public const string WorkspaceHeader = "X-Workspace-Id";

    public async Task InvokeAsync(HttpContext context)
    {
        context.Request.Headers.Remove(IdentityToken.Header);
        var endpoint = context.GetEndpoint();
        if (endpoint is not RouteEndpoint || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            if (limits.Admit(context) is { } limited)
            {
                await Problem.Refuse(context, limited);
                return;
            }

            if (endpoint?.Metadata.GetMetadata<OptionalKey>() is not null
                && context.Request.Query["key"].FirstOrDefault() is { Length: > 0 } given
                && await directory.Find(given, context.RequestAborted) is { KeyId: not null } known)
            {
                context.SetCaller(known.Caller);
            }

            await next(context);
            return;
        }

        if (await Identify(context, endpoint) is { } error)
        {
            if (error.Kind == ErrorKind.Unauthenticated)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer realm=\"lifecycle\"";
            }

            await Problem.Refuse(context, error);
            return;
        }

        await next(context);
    }

    private async ValueTask<Error?> Identify(HttpContext context, Endpoint endpoint)
    {
        var isIngest = endpoint.Metadata.GetMetadata<IngestEndpoint>() is not null;
        if (Read(context.Request, isIngest) is not { } key)
        {
            return limits.Admit(context) ?? new(ErrorKind.Unauthenticated, isIngest
                ? "Send a key as Authorization: Bearer <key>, as the user name of Basic, or as ?key=."
                : "Send a key as Authorization: Bearer <key>.");
        }

        var grant = await directory.Find(key, context.RequestAborted);
        if (grant is null)
        {
            return limits.Admit(context) ?? new(ErrorKind.Unauthenticated, "The key is unknown, expired or revoked.");
        }

        if (limits.Admit(grant) is { } limited)
        {
            return limited;
        }

        if (grant.IsPublishable && !isIngest)
        {
            return new(ErrorKind.PermissionDenied, "A publishable key may only send to ingest.");
        }

        if (grant.KeyId is { } keyId)
        {
            use.Note(grant.Caller.WorkspaceId, keyId);
        }
        else if (await EnterWorkspace(context, endpoint) is var (entered, refused))
        {
            if (refused is not null)
            {
                return refused;
            }

            grant = entered ?? grant;
        }

        context.SetCaller(grant.Caller);
        return null;
    }

    /// <summary>The bootstrap administrator belongs to no workspace and names the one to act in, where the method needs one.</summary>
    private async Task<(KeyGrant? Entered, Error? Refused)> EnterWorkspace(HttpContext context, Endpoint endpoint)
    {
        var named = context.Request.Headers[WorkspaceHeader].ToString();
        if (named.Length == 0)
        {
            return endpoint.Metadata.GetMetadata<RpcMethod>()?.Descriptor.Service.FullName is "lifecycle.gateway.v1.WorkspaceService"
                or "lifecycle.gateway.v1.KeyService"
                ? default
                : (null, Error.Invalid(
                    WorkspaceHeader, $"The administrator's key names the workspace to act in by the header {WorkspaceHeader}."));
        }

        if (!Guid.TryParse(named, out var workspaceId))
        {
            return (null, Error.Invalid(WorkspaceHeader, $"{WorkspaceHeader} must be a UUID."));
        }

        return await directory.Enter(workspaceId, context.RequestAborted) is { } entered
            ? (entered, null)
            : (null, new Error(ErrorKind.NotFound, $"Workspace {workspaceId} does not exist."));
    }

    private static string? Read(HttpRequest request, bool isIngest)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return header["Bearer ".Length..].Trim();
        }

        if (isIngest && header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            var buffer = new byte[header.Length];
            return Convert.TryFromBase64String(header["Basic ".Length..].Trim(), buffer, out var length)
                ? Encoding.UTF8.GetString(buffer, 0, length).Split(':')[0]
                : "";
        }

        return isIngest && request.Query["key"].FirstOrDefault() is { Length: > 0 } key ? key : null;
    }
}
