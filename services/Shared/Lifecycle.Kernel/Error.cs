namespace Lifecycle.Kernel;

/// <summary>What went wrong, in the categories of gRPC status codes.</summary>
public enum ErrorKind
{
    /// <summary>The request itself is wrong; it fails again unchanged.</summary>
    InvalidArgument,

    /// <summary>No credentials, or credentials that do not verify.</summary>
    Unauthenticated,

    /// <summary>Known caller without the right.</summary>
    PermissionDenied,

    /// <summary>Absent, or in another workspace.</summary>
    NotFound,

    /// <summary>Something with that key is there already.</summary>
    AlreadyExists,

    /// <summary>Lost a race, a stale version, or a request id used with another body.</summary>
    Aborted,

    /// <summary>Right request at the wrong time: the state forbids it.</summary>
    FailedPrecondition,

    /// <summary>A bound is reached; see <see cref="Error.RetryAfter"/>.</summary>
    ResourceExhausted,

    /// <summary>Something needed is out of reach for the moment.</summary>
    Unavailable,

    /// <summary>Past the end of what is kept: begin anew.</summary>
    OutOfRange,
}

/// <summary>One fault of a request.</summary>
/// <param name="Field">Path of the field in proto JSON names, e.g. <c>amount.currencyCode</c> or <c>rules[2].points</c>.</param>
/// <param name="Message">What is wrong and what is accepted, in one sentence.</param>
public sealed record FieldViolation(string Field, string Message);

/// <summary>An expected failure, returned as a value.</summary>
/// <param name="Kind">Category.</param>
/// <param name="Message">One sentence for the caller.</param>
public sealed record Error(ErrorKind Kind, string Message)
{
    /// <summary>Every fault found, not only the first.</summary>
    public IReadOnlyList<FieldViolation> Violations { get; init; } = [];

    /// <summary>When to try again, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static Error Invalid(string field, string message) =>
        new(ErrorKind.InvalidArgument, message) { Violations = [new(field, message)] };

    public static Error Invalid(IReadOnlyList<FieldViolation> violations) =>
        new(ErrorKind.InvalidArgument, violations.Count == 1 ? violations[0].Message : $"The request has {violations.Count} faults.")
        {
            Violations = violations,
        };

    /// <param name="what">The thing, e.g. <c>Lead</c>.</param>
    /// <param name="id">The id asked for.</param>
    public static Error NotFound(string what, object id) => new(ErrorKind.NotFound, $"{what} {id} does not exist in this workspace.");

    public static Error AlreadyExists(string message) => new(ErrorKind.AlreadyExists, message);

    public static Error Aborted(string message) => new(ErrorKind.Aborted, message);

    public static Error Precondition(string message) => new(ErrorKind.FailedPrecondition, message);

    public static Error Exhausted(string message, TimeSpan retryAfter) =>
        new(ErrorKind.ResourceExhausted, message) { RetryAfter = retryAfter };

    public static Error OutOfRange(string message) => new(ErrorKind.OutOfRange, message);

    public static Error Unavailable(string message) => new(ErrorKind.Unavailable, message);
}
