using System.Globalization;
using System.Text.Json;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>Something a lead did. Activities are ordered by time, then id, whatever order they come in.</summary>
/// <param name="Id">The same for ever; counted once.</param>
/// <param name="Type"><c>PAGE</c>, <c>FORM</c>, …, or <see cref="EmailType"/>.</param>
/// <param name="Name">Event or page name.</param>
/// <param name="Time">When, UTC.</param>
/// <param name="SessionId">Visit it belongs to.</param>
/// <param name="Url">Page on which it happened, or link that was clicked.</param>
/// <param name="Properties">The sender's properties.</param>
public sealed record Activity(
    Guid Id,
    string Type,
    string Name,
    DateTimeOffset Time,
    Guid? SessionId,
    string? Url,
    IReadOnlyDictionary<string, JsonElement> Properties)
{
    /// <summary>Type of what a person did with an e-mail we sent; the name is then <c>OPEN</c> or <c>CLICK</c>.</summary>
    public const string EmailType = "EMAIL";

    /// <summary>By time, then id: the order in which activities count.</summary>
    public static readonly Comparison<Activity> InOrder = (left, right) =>
        left.Time.CompareTo(right.Time) is not 0 and var order ? order : left.Id.CompareTo(right.Id);

    /// <summary>Path of the URL without query and fragment.</summary>
    public string? Path => Uri.TryCreate(Url, UriKind.Absolute, out var uri) ? uri.AbsolutePath : Url?.Split('?', '#')[0];

    public FieldValue Get(Field field) => field.Name switch
    {
        "activity.type" => FieldValue.Of(Type),
        "activity.name" => FieldValue.Of(Name),
        "activity.url" => FieldValue.Of(Url),
        "activity.path" => FieldValue.Of(Path),
        "activity.sessionId" => FieldValue.Of(SessionId?.ToString()),
        "activity.time" => FieldValue.Of(Time),
        "email.kind" => FieldValue.Of(Type == EmailType ? Name : null),
        "activity.properties" => Property(field.Key!),
        _ => FieldValue.Missing,
    };

    /// <summary>A property as text, whatever the case of its name; null when there is none.</summary>
    public string? Text(string key) => Property(key).AsText();

    /// <summary>A name is looked up whole first, then part by part into nested objects.</summary>
    private FieldValue Property(string key)
    {
        if (Find(Properties, key) is { } whole)
        {
            return Value(whole);
        }

        var parts = key.Split('.');
        var element = Find(Properties, parts[0]);
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
        // Numbers beyond decimal's range are no scores' business.
        JsonValueKind.Number => decimal.TryParse(element.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? FieldValue.Of(number) : FieldValue.Missing,
        JsonValueKind.True => FieldValue.Of(true),
        JsonValueKind.False => FieldValue.Of(false),
        JsonValueKind.Array => FieldValue.Of(element.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String)
            .Select(item => item.GetString()!).ToArray()),
        _ => FieldValue.Missing,
    };
}
