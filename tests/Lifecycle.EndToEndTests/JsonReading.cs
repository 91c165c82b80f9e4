using System.Globalization;
using System.Text.Json.Nodes;

namespace Lifecycle.EndToEndTests;

/// <summary>Reads members of proto JSON, where 64-bit integers are strings and absent members have the default value.</summary>
public static class JsonReading
{
    public static string Text(this JsonNode node, string path) => Find(node, path)?.ToString() ?? "";

    public static long Number(this JsonNode node, string path) =>
        Find(node, path) is { } value ? long.Parse(value.ToString(), CultureInfo.InvariantCulture) : 0;

    public static decimal Exact(this JsonNode node, string path) =>
        Find(node, path) is { } value ? decimal.Parse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture) : 0;

    private static JsonNode? Find(JsonNode node, string path) => path.Split('.').Aggregate((JsonNode?)node, (at, name) => at?[name]);
}
