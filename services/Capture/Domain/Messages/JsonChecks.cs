using System.Text.Json;
using System.Text.Unicode;
using Lifecycle.Kernel;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>Reads members of a JSON object and names every fault.</summary>
internal static class JsonChecks
{
    /// <summary>A text member; null where absent, null or empty.</summary>
    public static string? Text(this Violations violations, JsonElement parent, string name, string path, int maxLength)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (!violations.Require(value.ValueKind == JsonValueKind.String, path, $"{path} must be text."))
        {
            return null;
        }

        var text = value.GetString()!;
        return violations.Require(text.Length <= maxLength, path, $"{path} has {text.Length} characters; at most {maxLength} are accepted.")
            && text.Trim().Length > 0
            ? text.Trim()
            : null;
    }

    /// <summary>
    /// A text member cut to a length: what browsers and campaigns write may be of any, and is no reason to lose the message.
    /// </summary>
    public static string? Clipped(this Violations violations, JsonElement parent, string name, string path, int maxLength) =>
        Texts.Clip(violations.Text(parent, name, path, int.MaxValue), maxLength);

    /// <summary>An id: text, or a number, which some senders give.</summary>
    public static string? Id(this Violations violations, JsonElement parent, string name, int maxLength = 256) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.GetRawText() is { Length: <= 40 } digits
            ? digits
            : violations.Text(parent, name, name, maxLength);

    /// <summary>An object member; an empty object where absent or null.</summary>
    public static JsonElement Object(this Violations violations, JsonElement parent, string name, string path)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return Empty;
        }

        return violations.Require(value.ValueKind == JsonValueKind.Object, path, $"{path} must be an object.") ? value : Empty;
    }

    /// <summary>
    /// Most levels of nesting, the value's own the first. What is kept goes out again in events and in messages of gRPC, with more around
    /// it: readers of JSON stop at 64 levels, those of protobuf, where each of these takes three, at 100.
    /// </summary>
    public const int MaxDepth = 20;

    /// <summary>
    /// Whether a value has more than <see cref="MaxDepth"/> levels. To be asked first: what else looks into it goes as deep as it does.
    /// </summary>
    public static bool IsTooDeep(JsonElement value) => IsDeeper(value, MaxDepth);

    private static bool IsDeeper(JsonElement value, int levels) => value.ValueKind switch
    {
        JsonValueKind.Array => levels == 0 || value.EnumerateArray().Any(item => IsDeeper(item, levels - 1)),
        JsonValueKind.Object => levels == 0 || value.EnumerateObject().Any(member => IsDeeper(member.Value, levels - 1)),
        _ => false,
    };

    /// <summary>What Postgres cannot hold in jsonb: U+0000, halves of surrogate pairs, numbers beyond 10^±300 or 100 digits.</summary>
    public static bool CanBeStored(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => IsSoundText(value),
        JsonValueKind.Number => IsSoundNumber(value.GetRawText()),
        JsonValueKind.Array => value.EnumerateArray().All(CanBeStored),
        JsonValueKind.Object => value.EnumerateObject().All(member => IsSoundName(member) && CanBeStored(member.Value)),
        _ => true,
    };

    /// <summary>
    /// Whether a member has a name and, where it is text or a number, a value that can be read and stored; U+0000 in a text can be left
    /// out.
    /// </summary>
    public static bool IsReadable(JsonProperty member) =>
        IsSoundName(member) && (member.Value.ValueKind == JsonValueKind.String
            ? IsText(member.Value)
            : member.Value.ValueKind != JsonValueKind.Number || CanBeStored(member.Value));

    /// <summary>
    /// Whether a glance tells that all of a JSON value can be stored: sound UTF-8 without \u escapes (which alone can stand for U+0000 and
    /// halves of surrogate pairs), numbers without an exponent and of at most a hundred digits, too few brackets to nest too deep. False
    /// means: look closely.
    /// </summary>
    public static bool IsPlain(ReadOnlySpan<byte> json) =>
        json.IndexOf("\\u"u8) < 0 && Utf8.IsValid(json) && json.Count((byte)'{') + json.Count((byte)'[') <= MaxDepth
        && !(MayHaveUnusualNumber(json) && HasUnusualNumber(json));

    // Without regard to what is text: a digit, an e and a digit or sign, or digits and points without end. Most messages have neither, or
    // in ids.
    private static bool MayHaveUnusualNumber(ReadOnlySpan<byte> json)
    {
        var digits = 0;
        for (var index = 0; index < json.Length; index++)
        {
            var letter = json[index];
            if (letter is (>= (byte)'0' and <= (byte)'9') or (byte)'.')
            {
                if (++digits > 90)
                {
                    return true;
                }
            }
            else if (digits > 0)
            {
                if ((letter | 0x20) == 'e' && index + 1 < json.Length
                    && json[index + 1] is (>= (byte)'0' and <= (byte)'9') or (byte)'+' or (byte)'-')
                {
                    return true;
                }

                digits = 0;
            }
        }

        return false;
    }

    private static bool HasUnusualNumber(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number
                && (reader.ValueSpan.Length > 100 || reader.ValueSpan.IndexOfAny((byte)'e', (byte)'E') >= 0))
            {
                return true;
            }
        }

        return false;
    }

    private static JsonElement Empty { get; } = JsonDocument.Parse("{}").RootElement;

    private static bool IsSoundText(JsonElement value) => IsText(value) && !value.GetString()!.Contains('\0', StringComparison.Ordinal);

    private static bool IsText(JsonElement value)
    {
        try
        {
            return value.GetString() is not null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: no text.
            return false;
        }
    }

    private static bool IsSoundName(JsonProperty member)
    {
        try
        {
            return !member.Name.Contains('\0', StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsSoundNumber(string text)
    {
        var exponent = text.IndexOfAny(['e', 'E']);
        return text.Length <= 100 && (exponent < 0 || (int.TryParse(text[(exponent + 1)..], out var power) && Math.Abs(power) <= 300));
    }
}
