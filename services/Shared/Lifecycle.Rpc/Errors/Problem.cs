using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Grpc.Core;
using Lifecycle.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Lifecycle.Rpc;

/// <summary>An error as problem+json (RFC 9457), from endpoints that are no RPC.</summary>
public static class ProblemResults
{
    /// <summary>Answers with the error's HTTP status and body.</summary>
    public static IResult From(Error error, HttpContext context) => new ProblemResult(Problem.From(error, context));

    private sealed class ProblemResult(Problem problem) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => problem.Write(httpContext);
    }
}

/// <summary>Body of every REST error.</summary>
public sealed record Problem(
    string Type, string Title, int Status, string Code, string Detail, IReadOnlyList<FieldViolation>? Errors, string TraceId)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping
    };

    /// <summary>When to try again; sent as the header Retry-After.</summary>
    [JsonIgnore]
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Id under which the trace and the log of the request are found.</summary>
    public static string TraceIdOf(HttpContext context) => Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    public static Problem From(Error error, HttpContext context)
    {
        var code = RpcErrors.ToStatusCode(error.Kind);
        return Create(context, HttpStatus(code), RpcErrors.Name(code), error.Message) with
        {
            Errors = error.Violations.Count > 0 ? error.Violations : null,
            RetryAfter = error.RetryAfter,
        };
    }

    internal static Problem From(RpcException exception, HttpContext context)
    {
        var error = exception.ToError();
        return Create(context, HttpStatus(exception.StatusCode), RpcErrors.Name(exception.StatusCode), exception.Status.Detail) with
        {
            Errors = error.Violations.Count > 0 ? error.Violations : null,
            RetryAfter = error.RetryAfter,
        };
    }

    /// <summary>The problem that a bare HTTP status stands for.</summary>
    public static Problem ForStatus(HttpContext context, int status, string? detail = null)
    {
        var (code, text) = status switch
        {
            400 => ("INVALID_ARGUMENT", "The request is malformed."),
            401 => ("UNAUTHENTICATED", "The call carries no valid key."),
            403 => ("PERMISSION_DENIED", "The key may not do this."),
            404 => ("NOT_FOUND", $"There is nothing at {context.Request.Path}."),
            405 =>
                ("METHOD_NOT_ALLOWED",
                    $"{context.Request.Path} does not take {context.Request.Method}; it takes {context.Response.Headers.Allow}."),
            406 => ("NOT_ACCEPTABLE", "The answer cannot be given in an accepted format."),
            408 => ("DEADLINE_EXCEEDED", "The request came too slowly."),
            413 => ("PAYLOAD_TOO_LARGE", "The body is larger than accepted."),
            415 => ("UNSUPPORTED_MEDIA_TYPE", "The body's Content-Type is not accepted."),
            429 => ("RESOURCE_EXHAUSTED", "Too many requests."),
            502 or 503 => ("UNAVAILABLE", "Something needed is out of reach for the moment."),
            504 => ("DEADLINE_EXCEEDED", "Something needed did not answer in time."),
            < 500 => ("INVALID_ARGUMENT", ReasonPhrases.GetReasonPhrase(status)),
            _ => ("INTERNAL", "Internal error."),
        };
        return Create(context, status, code, detail ?? text);
    }

    /// <summary>Sends the problem; the response must not have started.</summary>
    public async Task Write(HttpContext context)
    {
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/problem+json";
        if (RetryAfter is { } delay)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(Math.Max(1, delay.TotalSeconds)))
                .ToString(CultureInfo.InvariantCulture);
        }

        if (Status == StatusCodes.Status401Unauthorized && context.Response.Headers.WWWAuthenticate.Count == 0)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        var body = ToUtf8();
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, CancellationToken.None);
        }
    }

    internal byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    internal static bool IsGrpc(HttpContext context) =>
        MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
        && type.MediaType!.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase);

    /// <summary>Ends a request before its endpoint runs: as a gRPC status (trailers only) or as a problem.</summary>
    public static Task Refuse(HttpContext context, Error error)
    {
        if (!IsGrpc(context))
        {
            return From(error, context).Write(context);
        }

        RefuseGrpc(context, RpcErrors.ToException(error));
        return Task.CompletedTask;
    }

    internal static void RefuseGrpc(HttpContext context, RpcException exception)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)exception.StatusCode).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(exception.Status.Detail);
        foreach (var trailer in exception.Trailers)
        {
            context.Response.Headers[trailer.Key] = Convert.ToBase64String(trailer.ValueBytes).TrimEnd('=');
        }
    }

    private static Problem Create(HttpContext context, int status, string code, string detail)
    {
        var title = status == 499 ? "Client Closed Request" : ReasonPhrases.GetReasonPhrase(status);
        return new("about:blank", title, status, code, detail, null, TraceIdOf(context));
    }

    private static int HttpStatus(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => 400,
        StatusCode.Unauthenticated => 401,
        StatusCode.PermissionDenied => 403,
        StatusCode.NotFound => 404,
        StatusCode.AlreadyExists or StatusCode.Aborted => 409,
        StatusCode.ResourceExhausted => 429,
        StatusCode.Cancelled => 499,
        StatusCode.Unimplemented => 501,
        StatusCode.Unavailable => 503,
        StatusCode.DeadlineExceeded => 504,
        _ => 500,
    };
}
