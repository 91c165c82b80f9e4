using System.Data.Common;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Lifecycle.Kernel;
using Status = Grpc.Core.Status;

namespace Lifecycle.Rpc;

/// <summary>
/// A failure that is meant for the caller, as a gRPC status with <c>google.rpc</c> details. Any other <see cref="RpcException"/> that
/// leaves a method is taken for the failure of a call the method made.
/// </summary>
public sealed class RpcErrorException(Status status, Metadata trailers) : RpcException(status, trailers);

/// <summary>Errors as gRPC statuses and back.</summary>
public static class RpcErrors
{
    /// <summary>Domain of the <c>ErrorInfo</c> detail.</summary>
    public const string Domain = "lifecycle";

    private const string DetailsTrailer = "grpc-status-details-bin";

    /// <summary>The value, or the error thrown as a status that the interceptor and REST pass on.</summary>
    /// <exception cref="RpcErrorException">The result is a failure.</exception>
    public static T OrThrow<T>(this Result<T> result) => result.TryGet(out var value, out var error) ? value : throw ToException(error);

    /// <summary>Throws INVALID_ARGUMENT with every violation, if there is one.</summary>
    /// <exception cref="RpcErrorException">There are violations.</exception>
    public static void OrThrow(this Violations violations)
    {
        if (violations.ToError() is { } error)
        {
            throw ToException(error);
        }
    }

    /// <summary>The error as a status with <c>ErrorInfo</c>, <c>BadRequest</c> and <c>RetryInfo</c> details as far as they apply.</summary>
    public static RpcErrorException ToException(Error error)
    {
        var code = ToStatusCode(error.Kind);
        var status = new Google.Rpc.Status { Code = (int)code, Message = error.Message };
        // Field 1, `reason` today, still has its first name in this version of the package.
        status.Details.Add(Any.Pack(new ErrorInfo { Type = Name(code), Domain = Domain }));
        if (error.Violations.Count > 0)
        {
            var bad = new BadRequest();
            bad.FieldViolations.AddRange(error.Violations.Select(
                violation => new BadRequest.Types.FieldViolation { Field = violation.Field, Description = violation.Message }));
            status.Details.Add(Any.Pack(bad));
        }

        if (error.RetryAfter is { } delay)
        {
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) }));
        }

        return new(new Status(code, error.Message), new Metadata { { DetailsTrailer, status.ToByteArray() } });
    }

    /// <summary>The error that a status tells: the inverse of <see cref="ToException"/>, for answers of other services.</summary>
    public static Error ToError(this RpcException exception)
    {
        var error = new Error(ToKind(exception.StatusCode), exception.Status.Detail);
        if (exception.Trailers.GetValueBytes(DetailsTrailer) is not { } bytes)
        {
            return error;
        }

        foreach (var detail in Google.Rpc.Status.Parser.ParseFrom(bytes).Details)
        {
            if (detail.TryUnpack<BadRequest>(out var bad))
            {
                error = error with
                {
                    Violations =
                        bad.FieldViolations.Select(violation => new FieldViolation(violation.Field, violation.Description)).ToArray()
                };
            }
            else if (detail.TryUnpack<RetryInfo>(out var retry))
            {
                error = error with { RetryAfter = retry.RetryDelay.ToTimeSpan() };
            }
        }

        return error;
    }

    /// <summary>
    /// For a method that only passes a call on: what the other service holds against the caller is told to the caller; outages stay
    /// outages.
    /// </summary>
    public static RpcException Relay(
        this RpcException exception) => exception.StatusCode is StatusCode.InvalidArgument or StatusCode.OutOfRange
        or StatusCode.NotFound or StatusCode.AlreadyExists or StatusCode.FailedPrecondition or StatusCode.Aborted
        or StatusCode.ResourceExhausted
            ? ToException(exception.ToError())
            : exception;

    /// <summary>Status name as in the API, e.g. <c>INVALID_ARGUMENT</c>.</summary>
    public static string Name(StatusCode code) => code switch
    {
        StatusCode.OK => "OK",
        StatusCode.Cancelled => "CANCELLED",
        StatusCode.InvalidArgument => "INVALID_ARGUMENT",
        StatusCode.DeadlineExceeded => "DEADLINE_EXCEEDED",
        StatusCode.NotFound => "NOT_FOUND",
        StatusCode.AlreadyExists => "ALREADY_EXISTS",
        StatusCode.PermissionDenied => "PERMISSION_DENIED",
        StatusCode.Unauthenticated => "UNAUTHENTICATED",
        StatusCode.ResourceExhausted => "RESOURCE_EXHAUSTED",
        StatusCode.FailedPrecondition => "FAILED_PRECONDITION",
        StatusCode.Aborted => "ABORTED",
        StatusCode.OutOfRange => "OUT_OF_RANGE",
        StatusCode.Unimplemented => "UNIMPLEMENTED",
        StatusCode.Unavailable => "UNAVAILABLE",
        StatusCode.DataLoss => "DATA_LOSS",
        StatusCode.Internal => "INTERNAL",
        _ => "UNKNOWN",
    };

    internal static StatusCode ToStatusCode(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidArgument => StatusCode.InvalidArgument,
        ErrorKind.Unauthenticated => StatusCode.Unauthenticated,
        ErrorKind.PermissionDenied => StatusCode.PermissionDenied,
        ErrorKind.NotFound => StatusCode.NotFound,
        ErrorKind.AlreadyExists => StatusCode.AlreadyExists,
        ErrorKind.Aborted => StatusCode.Aborted,
        ErrorKind.FailedPrecondition => StatusCode.FailedPrecondition,
        ErrorKind.ResourceExhausted => StatusCode.ResourceExhausted,
        ErrorKind.OutOfRange => StatusCode.OutOfRange,
        _ => StatusCode.Unavailable,
    };

    private static ErrorKind ToKind(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument => ErrorKind.InvalidArgument,
        StatusCode.OutOfRange => ErrorKind.OutOfRange,
        StatusCode.Unauthenticated => ErrorKind.Unauthenticated,
        StatusCode.PermissionDenied => ErrorKind.PermissionDenied,
        StatusCode.NotFound => ErrorKind.NotFound,
        StatusCode.AlreadyExists => ErrorKind.AlreadyExists,
        StatusCode.Aborted => ErrorKind.Aborted,
        StatusCode.FailedPrecondition => ErrorKind.FailedPrecondition,
        StatusCode.ResourceExhausted => ErrorKind.ResourceExhausted,
        _ => ErrorKind.Unavailable,
    };

    /// <summary>
    /// What the caller learns of an exception that left a method. <paramref name="logged"/>: it is a bug or an outage and belongs in the
    /// log.
    /// </summary>
    internal static RpcException Translate(
        Exception exception, DateTime deadline, DateTime now, string traceId, out bool logged, CancellationToken call)
    {
        logged = false;
        switch (exception)
        {
            case RpcErrorException error:
                return error;
            case OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled } when call.IsCancellationRequested:
                return now >= deadline
                    ? new RpcException(new Status(StatusCode.DeadlineExceeded, "The deadline passed."))
                    : new RpcException(new Status(StatusCode.Cancelled, "The caller went away."));
            case RpcException { StatusCode: StatusCode.DeadlineExceeded }:
                logged = true;
                return new RpcException(
                    new Status(StatusCode.DeadlineExceeded, $"Something needed did not answer in time. Trace {traceId}."));
            case RpcException { StatusCode: StatusCode.Unavailable } or DbException { IsTransient: true }:
                logged = true;
                return ToException(Error.Unavailable($"Something needed is out of reach for the moment. Trace {traceId}.") with
                {
                    RetryAfter = TimeSpan.FromSeconds(1)
                });
            // What Postgres says of U+0000: in text, and in JSON.
            case DbException { SqlState: "22021" or "22P05" }:
                return ToException(new Error(ErrorKind.InvalidArgument, "A text of the request holds U+0000, which cannot be stored."));
            default:
                logged = true;
                return new RpcException(new Status(StatusCode.Internal, $"Internal error. Trace {traceId}."));
        }
    }
}
