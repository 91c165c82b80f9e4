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
    IReadOnlyDictionary<string, JsonElement> Properties) : ITallied
{
    /// <summary>Type of what a person did with an e-mail we sent; the name is then <c>OPEN</c> or <c>CLICK</c>.</summary>
    public const string EmailType = "EMAIL";

    /// <summary>By time, then id: the order in which activities count.</summary>
    public static readonly Comparison<Activity> InOrder = (left, right) =>
        left.Time.CompareTo(right.Time) is not 0 and var order ? order : left.Id.CompareTo(right.Id);

    /// <summary>Whether that is their order: looking costs less than sorting.</summary>
    public static bool AreInOrder(List<Activity> activities)
    {
        for (var index = 1; index < activities.Count; index++)
        {
            if (InOrder(activities[index - 1], activities[index]) > 0)
            {
                return false;
            }
        }

        return true;
    }

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
        "activity.properties" => JsonProperties.Get(Properties, field.Key!),
        _ => FieldValue.Missing,
    };

    /// <summary>A property as text, whatever the case of its name; null when there is none.</summary>
    public string? Text(string key) => JsonProperties.Get(Properties, key).AsText();
}
