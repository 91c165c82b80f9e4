using System.Globalization;
using System.Text.Json;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>Something a lead did, as programs ask for it.</summary>
/// <param name="Type"><c>PAGE</c>, <c>FORM</c>, <c>TRACK</c>, ….</param>
/// <param name="Name">Event or page name.</param>
/// <param name="Url">Page on which it happened.</param>
/// <param name="Properties">The sender's properties.</param>
public sealed record ActivityFacts(
    string Type, string Name, DateTimeOffset Time, string? Url, IReadOnlyDictionary<string, JsonElement> Properties) : IFieldSource
{
    /// <summary>Fields of conditions over an activity.</summary>
    public static readonly FieldCatalog Catalog = new(
        new Dictionary<string, FieldType>
        {
            ["activity.type"] = FieldType.Text,
            ["activity.name"] = FieldType.Text,
            ["activity.url"] = FieldType.Text,
            ["activity.path"] = FieldType.Text,
            ["activity.time"] = FieldType.Time,
        },
        new Dictionary<string, FieldType> { ["activity.properties"] = FieldType.Any });

    public FieldValue Get(Field field) => field.Name switch
    {
        "activity.type" => FieldValue.Of(Type),
        "activity.name" => FieldValue.Of(Name),
        "activity.url" => FieldValue.Of(Url),
        "activity.path" => FieldValue.Of(Uri.TryCreate(Url, UriKind.Absolute, out var uri) ? uri.AbsolutePath : Url?.Split('?', '#')[0]),
        "activity.time" => FieldValue.Of(Time),
        _ => Property(field.Key!),
    };

    /// <summary>A property as text, whatever the case of its name; null where there is none.</summary>
    public string? Text(string property) => Property(property).AsText();

    private FieldValue Property(string name) =>
        Properties.FirstOrDefault(property => property.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value is var value
            ? value.ValueKind switch
            {
                JsonValueKind.String => FieldValue.Of(value.GetString()),
                JsonValueKind.Number when decimal.TryParse(
                    value.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => FieldValue.Of(number),
                JsonValueKind.True => FieldValue.Of(true),
                JsonValueKind.False => FieldValue.Of(false),
                _ => FieldValue.Missing,
            }
            : FieldValue.Missing;
}
