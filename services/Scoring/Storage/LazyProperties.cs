using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Lifecycle.Scoring.Storage;

/// <summary>Properties of a stored activity, read from their JSON when somebody asks: most rules never do.</summary>
internal sealed class LazyProperties(string json) : IReadOnlyDictionary<string, JsonElement>
{
    private Dictionary<string, JsonElement>? parsed;

    public int Count => Parsed.Count;

    public IEnumerable<string> Keys => Parsed.Keys;

    public IEnumerable<JsonElement> Values => Parsed.Values;

    private Dictionary<string, JsonElement> Parsed =>
        parsed ??= JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!;

    public JsonElement this[string key] => Parsed[key];

    public bool ContainsKey(string key) => Parsed.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out JsonElement value) => Parsed.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, JsonElement>> GetEnumerator() => Parsed.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
