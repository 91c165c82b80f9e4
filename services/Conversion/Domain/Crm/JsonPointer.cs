using System.Globalization;
using System.Text.Json;

namespace Lifecycle.Conversion.Domain.Crm;

/// <summary>JSON pointers (RFC 6901).</summary>
public static class JsonPointer
{
    public const int MaxLength = 200;

    /// <summary>Empty for the whole, else parts that each begin with a slash.</summary>
    public static bool IsSound(string path) => path.Length <= MaxLength && (path.Length == 0 || path[0] == '/');

    /// <summary>The value there; null where there is none.</summary>
    public static JsonElement? Find(JsonElement root, string path)
    {
        var at = root;
        foreach (var part in path.Split('/').Skip(1))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            switch (at.ValueKind)
            {
                case JsonValueKind.Object when at.TryGetProperty(name, out var member):
                    at = member;
                    break;
                case JsonValueKind.Array when int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                    && index < at.GetArrayLength():
                    at = at[index];
                    break;
                default:
                    return null;
            }
        }

        return at;
    }

    /// <summary>The value as text; null where it is missing, null, an object or an array.</summary>
    public static string? Text(JsonElement? value) => value is not { } found ? null : found.ValueKind switch
    {
        JsonValueKind.String => found.GetString(),
        JsonValueKind.Number => found.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };
}
