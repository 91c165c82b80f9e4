using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lifecycle.Capture.Domain.Leads;

/// <summary>One value of a profile and when it was said.</summary>
/// <param name="Json">The value as JSON; <c>null</c> stands for a removed value, which keeps older ones from coming back.</param>
/// <param name="Time">When it was said.</param>
public readonly record struct ProfileValue(string Json, DateTimeOffset Time);

/// <summary>
/// What is known of a person, each value with its time. Of two values for a key the later holds, whatever the order in which they arrive;
/// at the same time the ordinally greater JSON does. The company is kept under the keys <c>company.name</c>, <c>company.employees</c> and
/// so on.
/// </summary>
public sealed class Profile
{
    /// <summary>Most keys of one profile; what comes beyond is dropped.</summary>
    public const int MaxKeys = 500;

    private readonly Dictionary<string, ProfileValue> values;

    public Profile() => values = new(StringComparer.Ordinal);

    private Profile(Dictionary<string, ProfileValue> values) => this.values = values;

    public IReadOnlyDictionary<string, ProfileValue> Values => values;

    /// <summary>Whether anything is to be stored: also a later time of the same value.</summary>
    public bool Dirty { get; private set; }

    /// <summary>Takes the value if it is the later one; answers whether what is known changed.</summary>
    public bool Set(string key, string json, DateTimeOffset time)
    {
        var known = values.TryGetValue(key, out var held);
        if (known ? time < held.Time || (time == held.Time && string.CompareOrdinal(json, held.Json) <= 0) : values.Count >= MaxKeys)
        {
            return false;
        }

        values[key] = new(json, time);
        Dirty = true;
        return json != (known ? held.Json : "null");
    }

    /// <summary>Takes all of the other's values that are later.</summary>
    public bool Merge(Profile other)
    {
        var changed = false;
        foreach (var (key, value) in other.values)
        {
            changed |= Set(key, value.Json, value.Time);
        }

        return changed;
    }

    /// <summary>A new profile with the later of the values of two.</summary>
    public static Profile Union(Profile left, Profile right)
    {
        var union = new Profile();
        union.Merge(left);
        union.Merge(right);
        return union;
    }

    /// <summary>The value's text: strings as they are, anything else as JSON; null when unknown.</summary>
    public string? Text(string key) => values.TryGetValue(key, out var value) && value.Json != "null" ? ToText(value.Json) : null;

    /// <summary>Everything that is not the company, as text.</summary>
    public Dictionary<string, string> Traits() =>
        values.Where(pair => pair.Value.Json != "null" && !pair.Key.StartsWith("company.", StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key, pair => ToText(pair.Value.Json));

    /// <summary>Everything that is not the company, as one JSON object.</summary>
    public string TraitsJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in values.Where(
                pair => pair.Value.Json != "null" && !pair.Key.StartsWith("company.", StringComparison.Ordinal)))
            {
                writer.WritePropertyName(key);
                writer.WriteRawValue(value.Json);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Stored form: <c>{"key":{"v":value,"t":"time"}}</c>.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in values)
            {
                writer.WriteStartObject(key);
                writer.WritePropertyName("v");
                writer.WriteRawValue(value.Json);
                writer.WriteString("t", value.Time);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads the stored form.</summary>
    public static Profile FromJson(string json)
    {
        using var document = JsonDocument.Parse(json);
        var values = new Dictionary<string, ProfileValue>(StringComparer.Ordinal);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            values[member.Name] = new(member.Value.GetProperty("v").GetRawText(), member.Value.GetProperty("t").GetDateTimeOffset());
        }

        return new(values);
    }

    /// <summary>A text as JSON.</summary>
    public static string Json(string text) => JsonSerializer.Serialize(text);

    private static string ToText(string json)
    {
        if (json[0] != '"')
        {
            return json;
        }

        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetString()!;
    }

    /// <summary>
    /// A number as forms and exports write it: separators, currency signs and the suffixes k, m, b, also as words, are understood, of a
    /// range the lower end holds ("51-200" → 51, "1 000+" → 1000, "$5 million" → 5000000). Null when there is none.
    /// </summary>
    public static decimal? Number(string? text)
    {
        var start = text?.IndexOfAny("0123456789".ToCharArray()) ?? -1;
        if (start < 0)
        {
            return null;
        }

        var end = start;
        while (end < text!.Length && (char.IsAsciiDigit(text[end]) || text[end] is '.' or ',' or '\'' || IsGroup(text, start, end)))
        {
            end++;
        }

        var digits = string.Concat(text[start..end].Where(letter => letter != '\'' && !char.IsWhiteSpace(letter)));
        var point = digits.LastIndexOfAny(['.', ',']);
        // Exactly three digits after the last separator are a group of thousands, other than after a point in plain "0.125".
        var grouped = point >= 0 && digits.Length - point == 4 && digits[0] != '0';
        digits = point < 0 || grouped
            ? digits.Replace(",", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal)
            : digits[..point].Replace(",", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal)
                + "." + digits[(point + 1)..];
        if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            || value > 1_000_000_000_000_000m)
        {
            return null;
        }

        return value * Factor(text.AsSpan(end));
    }

    // A blank parts thousands where one to three digits stand before it and three behind.
    private static bool IsGroup(string text, int start, int at) =>
        char.IsWhiteSpace(text[at]) && at + 3 < text.Length && text.AsSpan(at + 1, 3).ContainsAnyExceptInRange('0', '9') is false
        && (at + 4 == text.Length || !char.IsAsciiDigit(text[at + 4])) && (at - start is >= 1 and <= 3 || IsGroupBefore(text, start, at));

    private static bool IsGroupBefore(string text, int start, int at) => at - 4 > start && char.IsWhiteSpace(text[at - 4]);

    private static decimal Factor(ReadOnlySpan<char> rest)
    {
        if (rest.Length == 0)
        {
            return 1;
        }

        if (!char.IsWhiteSpace(rest[0]))
        {
            return char.ToLowerInvariant(rest[0]) switch { 'k' => 1_000m, 'm' => 1_000_000m, 'b' => 1_000_000_000m, _ => 1m };
        }

        var word = rest.TrimStart();
        var end = 0;
        while (end < word.Length && char.IsLetter(word[end]))
        {
            end++;
        }

        return word[..end].ToString().ToLowerInvariant() switch
        {
            "k" or "thousand" => 1_000m,
            "m" or "mn" or "mio" or "mln" or "million" or "millions" => 1_000_000m,
            "b" or "bn" or "mrd" or "billion" or "billions" => 1_000_000_000m,
            _ => 1m,
        };
    }
}
