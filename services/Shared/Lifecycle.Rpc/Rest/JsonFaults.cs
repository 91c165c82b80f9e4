using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Lifecycle.Kernel;

namespace Lifecycle.Rpc.Rest;

/// <summary>
/// Finds every place at which a JSON value does not fit a message (proto3 JSON mapping), strictly: unknown fields are faults.
/// </summary>
internal static partial class JsonFaults
{
    private const int MaxFaults = 100;

    public static FieldDescriptor? FindField(MessageDescriptor message, string name)
    {
        foreach (var field in message.Fields.InFieldNumberOrder())
        {
            if (field.JsonName == name || field.Name == name)
            {
                return field;
            }
        }

        return null;
    }

    /// <summary>JSON names of the message's fields, for messages.</summary>
    public static string Names(MessageDescriptor message) =>
        message.Fields.InFieldNumberOrder() is { Count: > 0 } fields ? string.Join(", ", fields.Select(field => field.JsonName)) : "none";

    /// <summary>Well-known messages that JSON writes as one string, number or boolean.</summary>
    public static bool IsScalarLike(MessageDescriptor message) => message.File.Package == "google.protobuf" && message.Name is
        "Timestamp" or "Duration" or "FieldMask" or "DoubleValue" or "FloatValue" or "Int64Value" or "UInt64Value"
        or "Int32Value" or "UInt32Value"
        or "BoolValue" or "StringValue" or "BytesValue";

    public static void CheckMessage(MessageDescriptor message, JsonElement json, string path, Violations violations)
    {
        if (violations.Found.Count >= MaxFaults)
        {
            return;
        }

        if (message.File.Package == "google.protobuf")
        {
            CheckWellKnown(message, json, path, violations);
            return;
        }

        if (!Expect(json, JsonValueKind.Object, path, "an object", violations))
        {
            return;
        }

        var seen = new HashSet<FieldDescriptor>();
        var oneofs = new Dictionary<OneofDescriptor, string>();
        foreach (var property in json.EnumerateObject())
        {
            var at = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            if (FindField(message, property.Name) is not { } field)
            {
                violations.Add(at, $"{at} is not known; known here: {Names(message)}.");
            }
            else if (!seen.Add(field))
            {
                violations.Add(at, $"{at} is given twice.");
            }
            else if (property.Value.ValueKind != JsonValueKind.Null)
            {
                if (field.RealContainingOneof is { } oneof && !oneofs.TryAdd(oneof, property.Name))
                {
                    violations.Add(at, $"Only one of {oneofs[oneof]} and {property.Name} may be set.");
                }

                CheckField(field, property.Value, at, violations);
            }
        }
    }

    private static void CheckField(FieldDescriptor field, JsonElement json, string path, Violations violations)
    {
        if (field.IsMap)
        {
            if (!Expect(json, JsonValueKind.Object, path, "an object", violations))
            {
                return;
            }

            var (key, value) = (field.MessageType.FindFieldByNumber(1), field.MessageType.FindFieldByNumber(2));
            foreach (var entry in json.EnumerateObject())
            {
                var at = $"{path}.{entry.Name}";
                if (key.FieldType != FieldType.String && !IsKey(key.FieldType, entry.Name))
                {
                    violations.Add(at, $"The key {entry.Name} of {path} must be a {Word(key.FieldType)}.");
                }

                CheckValue(value, entry.Value, at, violations);
            }
        }
        else if (field.IsRepeated)
        {
            if (!Expect(json, JsonValueKind.Array, path, "an array", violations))
            {
                return;
            }

            var index = 0;
            foreach (var item in json.EnumerateArray())
            {
                CheckValue(field, item, $"{path}[{index++}]", violations);
            }
        }
        else
        {
            CheckValue(field, json, path, violations);
        }
    }

    private static void CheckValue(FieldDescriptor field, JsonElement json, string path, Violations violations)
    {
        switch (field.FieldType)
        {
            case FieldType.Message:
                CheckMessage(field.MessageType, json, path, violations);
                break;
            case FieldType.Enum:
                CheckEnum(field.EnumType, json, path, violations);
                break;
            default:
                CheckScalar(field.FieldType, json, path, violations);
                break;
        }
    }

    private static void CheckEnum(EnumDescriptor type, JsonElement json, string path, Violations violations)
    {
        var fits = json.ValueKind switch
        {
            JsonValueKind.String => type.FindValueByName(json.GetString()!) is not null,
            JsonValueKind.Number => json.TryGetInt32(out var number) && type.FindValueByNumber(number) is not null,
            _ => false,
        };
        violations.Require(
            fits, path,
            $"{path} must be one of {string.Join(", ", type.Values.Where(value => value.Number != 0).Select(value => value.Name))}.");
    }

    private static void CheckScalar(FieldType type, JsonElement json, string path, Violations violations)
    {
        var fits = type switch
        {
            FieldType.String => json.ValueKind == JsonValueKind.String,
            FieldType.Bool => json.ValueKind is JsonValueKind.True or JsonValueKind.False,
            FieldType.Bytes => json.ValueKind == JsonValueKind.String && IsBase64(json.GetString()!),
            _ => json.ValueKind is JsonValueKind.Number or JsonValueKind.String && IsNumber(type, json.ToString()),
        };
        violations.Require(fits, path, $"{path} must be a {Word(type)}.");
    }

    private static void CheckWellKnown(MessageDescriptor message, JsonElement json, string path, Violations violations)
    {
        switch (message.Name)
        {
            case "Timestamp":
                violations.Require(
                    json.ValueKind == JsonValueKind.String && IsTimestamp(json.GetString()!), path,
                    $"{path} must be a time such as 2026-03-31T12:00:00Z (RFC 3339).");
                break;
            case "Duration":
                violations.Require(
                    json.ValueKind == JsonValueKind.String && DurationText().IsMatch(json.GetString()!), path,
                    $"{path} must be a duration in seconds such as \"3600s\".");
                break;
            case "FieldMask":
                violations.Require(
                    json.ValueKind == JsonValueKind.String && FieldMaskText().IsMatch(json.GetString()!), path,
                    $"{path} must name fields by commas such as \"displayName,email\".");
                break;
            case "Empty":
                violations.Require(json.ValueKind == JsonValueKind.Object && !json.EnumerateObject().Any(), path, $"{path} must be {{}}.");
                break;
            case "Struct":
                Expect(json, JsonValueKind.Object, path, "an object", violations);
                break;
            case "ListValue":
                Expect(json, JsonValueKind.Array, path, "an array", violations);
                break;
            case "Value" or "Any":
                break;
            default:
                CheckScalar(message.FindFieldByNumber(1).FieldType, json, path, violations);
                break;
        }
    }

    private static bool Expect(JsonElement json, JsonValueKind kind, string path, string word, Violations violations) =>
        violations.Require(json.ValueKind == kind, path, $"{(path.Length == 0 ? "The body" : path)} must be {word}.");

    private static bool IsNumber(FieldType type, string text) => type switch
    {
        FieldType.Double or FieldType.Float => text is "NaN" or "Infinity" or "-Infinity"
            || (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)),
        _ => decimal.TryParse(
            text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out var whole)
            && whole == decimal.Truncate(whole) && whole >= Range(type).Min && whole <= Range(type).Max,
    };

    private static (decimal Min, decimal Max) Range(FieldType type) => type switch
    {
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int.MinValue, int.MaxValue),
        FieldType.UInt32 or FieldType.Fixed32 => (0, uint.MaxValue),
        FieldType.UInt64 or FieldType.Fixed64 => (0, ulong.MaxValue),
        _ => (long.MinValue, long.MaxValue),
    };

    private static bool IsKey(FieldType type, string key) => type == FieldType.Bool ? key is "true" or "false" : IsNumber(type, key);

    private static bool IsTimestamp(string text) =>
        TimestampText().IsMatch(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static bool IsBase64(string text)
    {
        var padded = text.Replace('-', '+').Replace('_', '/').TrimEnd('=');
        padded += new string('=', (4 - (padded.Length % 4)) % 4);
        return Convert.TryFromBase64String(padded, new byte[padded.Length], out _);
    }

    private static string Word(FieldType type) => type switch
    {
        FieldType.String => "string",
        FieldType.Bool => "boolean (true or false)",
        FieldType.Bytes => "base64 string",
        FieldType.Double or FieldType.Float => "number",
        FieldType.UInt32 or FieldType.Fixed32 or FieldType.UInt64 or FieldType.Fixed64 => "whole number of at least 0",
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => "whole number of 64 bits",
        _ => "whole number of 32 bits",
    };

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$", RegexOptions.CultureInvariant)]
    private static partial Regex TimestampText();

    [GeneratedRegex(@"^-?\d{1,12}(\.\d{1,9})?s$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationText();

    [GeneratedRegex(@"^([A-Za-z0-9.]+(,[A-Za-z0-9.]+)*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex FieldMaskText();
}
