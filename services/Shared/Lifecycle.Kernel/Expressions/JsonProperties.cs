using System.Globalization;
using System.Text.Json;

namespace Lifecycle.Kernel.Expressions;

/// <summary>A sender's JSON properties as fields of conditions.</summary>
public static class JsonProperties
{
    /// <summary>
    /// The property of that name, whatever its case: looked up whole first, then part by part into nested objects. Missing where there is
    /// none, or where it is an object or a number beyond decimal's range.
    /// </summary>
    public static FieldValue Get(IReadOnlyDictionary<string, JsonElement> properties, string key)
    {
        if (Find(properties, key) is { } whole)
        {
            return Value(whole);
        }

        var parts = key.Split('.');
        var element = Find(properties, parts[0]);
        foreach (var part in parts.Skip(1))
        {
            element = element is { ValueKind: JsonValueKind.Object } parent
                ? parent.EnumerateObject().Where(member => member.Name.Equals(part, StringComparison.OrdinalIgnoreCase))
                    .Select(member => (JsonElement?)member.Value).FirstOrDefault()
                : null;
        }

        return element is { } found ? Value(found) : FieldValue.Missing;
    }

    private static JsonElement? Find(IReadOnlyDictionary<string, JsonElement> properties, string key)
    {
        if (properties.TryGetValue(key, out var exact))
        {
            return exact;
        }

        foreach (var (name, value) in properties)
        {
            if (name.Equals(key, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }

    private static FieldValue Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => FieldValue.Of(element.GetString()),
        JsonValueKind.Number => decimal.TryParse(element.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? FieldValue.Of(number) : FieldValue.Missing,
        JsonValueKind.True => FieldValue.Of(true),
        JsonValueKind.False => FieldValue.Of(false),
        JsonValueKind.Array => FieldValue.Of(element.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String)
            .Select(item => item.GetString()!).ToArray()),
        _ => FieldValue.Missing,
    };
}
