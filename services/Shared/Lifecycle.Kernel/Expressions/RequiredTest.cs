namespace Lifecycle.Kernel.Expressions;

/// <summary>How a field is compared with a literal.</summary>
public enum Comparison
{
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>
/// A comparison without which a condition cannot hold: whoever stores the fields may leave out what fails it, and ask the condition of the
/// rest.
/// </summary>
/// <param name="Field">The field; one without a value fails.</param>
/// <param name="Comparison">Value … literal; texts without regard to case.</param>
/// <param name="Literals">One, or with <see cref="Comparison.Equal"/> any of several.</param>
public sealed record RequiredTest(Field Field, Comparison Comparison, IReadOnlyList<FieldValue> Literals);
