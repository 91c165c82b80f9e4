using System.Globalization;

namespace Lifecycle.Kernel.Expressions;

/// <summary>What a field may hold.</summary>
public enum FieldType
{
    /// <summary>Anything: the sender decides, as with traits. Text that reads as a number compares as one with a number.</summary>
    Any = 0,
    Text = 1,
    Number = 2,
    Boolean = 3,

    /// <summary>An instant.</summary>
    Time = 4,

    /// <summary>Several texts.</summary>
    List = 5,

    /// <summary>Text in the form of <see cref="EmailKey"/>; literals are read as such.</summary>
    Email = 6,

    /// <summary>Text in the form of <see cref="DomainName"/>; literals are read as such.</summary>
    Domain = 7,
}

/// <summary>What a field holds for one subject. <c>default</c> is the absent value.</summary>
public readonly struct FieldValue : IEquatable<FieldValue>
{
    private readonly object? content;

    private FieldValue(FieldType type, object content) => (Type, this.content) = (type, content);

    /// <summary>No value: every comparison with it is false, only <c>!=</c> and what <c>not</c> turns round are true.</summary>
    public static FieldValue Missing => default;

    /// <summary>Kind of the value; meaningless when it is missing.</summary>
    public FieldType Type { get; }

    public bool IsMissing => content is null;

    /// <summary>Empty text is missing.</summary>
    public static FieldValue Of(string? text) => string.IsNullOrEmpty(text) ? Missing : new(FieldType.Text, text);

    public static FieldValue Of(decimal? number) => number is { } value ? new(FieldType.Number, value) : Missing;

    public static FieldValue Of(bool? boolean) => boolean is { } value ? new(FieldType.Boolean, value) : Missing;

    public static FieldValue Of(DateTimeOffset? time) => time is { } value ? new(FieldType.Time, value) : Missing;

    /// <summary>An empty list is missing.</summary>
    public static FieldValue Of(IReadOnlyList<string> texts) => texts.Count == 0 ? Missing : new(FieldType.List, texts);

    /// <summary>The value as text (numbers and times in invariant form), or null when it is missing or a list.</summary>
    public string? AsText() => content switch
    {
        string text => text,
        decimal number => number.ToString(CultureInfo.InvariantCulture),
        bool boolean => boolean ? "true" : "false",
        DateTimeOffset time => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>The value as a number where it is one or reads as one.</summary>
    public decimal? AsNumber() => content switch
    {
        decimal number => number,
        string text when decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };

    /// <summary>The value as a boolean where it is one or reads as <c>true</c> or <c>false</c>.</summary>
    public bool? AsBoolean() => content switch
    {
        bool boolean => boolean,
        string text when bool.TryParse(text, out var boolean) => boolean,
        _ => null,
    };

    /// <summary>The value as an instant where it is one or reads as a date or RFC 3339 time (without an offset: UTC).</summary>
    public DateTimeOffset? AsTime() => content switch
    {
        DateTimeOffset time => time,
        string text when Literals.TryTime(text, out var time) => time,
        _ => null,
    };

    /// <summary>The texts: of a list all, of anything else the one, of a missing value none.</summary>
    public IReadOnlyList<string> AsTexts() => content switch
    {
        IReadOnlyList<string> texts => texts,
        null => [],
        _ => [AsText()!],
    };

    public bool Equals(FieldValue other) => Type == other.Type && Equals(content, other.content);

    public override bool Equals(object? obj) => obj is FieldValue other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Type, content);

    public static bool operator ==(FieldValue left, FieldValue right) => left.Equals(right);

    public static bool operator !=(FieldValue left, FieldValue right) => !left.Equals(right);
}
