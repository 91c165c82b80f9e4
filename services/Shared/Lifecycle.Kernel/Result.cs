using System.Diagnostics.CodeAnalysis;

namespace Lifecycle.Kernel;

/// <summary>A value, or the <see cref="Kernel.Error"/> that stands in its place.</summary>
public readonly struct Result<T>
{
    private readonly T? value;

    private Result(T? value, Error? error)
    {
        this.value = value;
        Error = error;
    }

    /// <summary>The failure; null on success.</summary>
    public Error? Error { get; }

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">The result is a failure.</exception>
    public T Value => Error is null ? value! : throw new InvalidOperationException($"No value: {Error.Message}");

    [MemberNotNullWhen(false, nameof(Error))]
    public bool Succeeded => Error is null;

    public bool TryGet([MaybeNullWhen(false)] out T found, [NotNullWhen(false)] out Error? error)
    {
        (found, error) = (value, Error);
        return error is null;
    }

    public Result<TNext> Map<TNext>(Func<T, TNext> next) => Error is null ? next(value!) : Error;

    [SuppressMessage("Usage", "CA2225", Justification = "A value or an error is returned as it is; named alternates would only repeat it.")]
    public static implicit operator Result<T>(T value) => new(value, null);

    [SuppressMessage("Usage", "CA2225", Justification = "As above.")]
    public static implicit operator Result<T>(Error error) => new(default, error);
}

/// <summary>The value of a result that carries none.</summary>
public readonly record struct Unit;
