using System.Text.Json;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Nurture.Domain.Segments;

/// <summary>Something that segments may count: what a lead did, or what became of a mail to it.</summary>
/// <param name="Type"><c>PAGE</c>, <c>FORM</c>, …, or <see cref="EmailType"/>.</param>
/// <param name="Name">Event or page name; of a mail <c>SENT</c>, <c>OPEN</c>, <c>CLICK</c>, <c>UNSUBSCRIBE</c> or <c>BOUNCE</c>.</param>
/// <param name="Url">Page on which it happened, or link that was clicked.</param>
/// <param name="Properties">JSON object of the sender's properties; null: none.</param>
/// <param name="EmailId">Template, or the other system's id of the mail.</param>
/// <param name="ProgramId">Program that sent the mail.</param>
public sealed record LeadActivity(
    string Type,
    string Name,
    DateTimeOffset Time,
    Guid? SessionId = null,
    string? Url = null,
    string? Properties = null,
    string? EmailId = null,
    Guid? ProgramId = null) : ITallied, IFieldSource
{
    /// <summary>Type of what became of a mail.</summary>
    public const string EmailType = "EMAIL";

    /// <summary>Mail was sent.</summary>
    public const string SentName = "SENT";

    /// <summary>
    /// Fields inside counts. <c>email.*</c> is what became of our mails and of other systems'; opens and clicks are people's.
    /// </summary>
    public static readonly FieldCatalog Catalog = new(
        new Dictionary<string, FieldType>
        {
            ["activity.type"] = FieldType.Text,
            ["activity.name"] = FieldType.Text,
            ["activity.url"] = FieldType.Text,
            ["activity.path"] = FieldType.Text,
            ["activity.sessionId"] = FieldType.Text,
            ["activity.time"] = FieldType.Time,
            ["email.kind"] = FieldType.Text,
            ["email.id"] = FieldType.Text,
            ["email.programId"] = FieldType.Text,
            ["email.url"] = FieldType.Text,
        },
        new Dictionary<string, FieldType> { ["activity.properties"] = FieldType.Any });

    private IReadOnlyDictionary<string, JsonElement>? parsed;

    /// <summary>A mail that was sent or bounced is not the lead's doing.</summary>
    public bool IsOwn => !IsEmail || Name is "OPEN" or "CLICK" or "UNSUBSCRIBE";

    public bool IsEmail => Type == EmailType;

    public FieldValue Get(Field field) => field.Name switch
    {
        "activity.type" => FieldValue.Of(Type),
        "activity.name" => FieldValue.Of(Name),
        "activity.url" => FieldValue.Of(Url),
        "activity.path" => FieldValue.Of(Uri.TryCreate(Url, UriKind.Absolute, out var uri) ? uri.AbsolutePath : Url?.Split('?', '#')[0]),
        "activity.sessionId" => FieldValue.Of(SessionId?.ToString()),
        "activity.time" => FieldValue.Of(Time),
        "activity.properties" => JsonProperties.Get(Parsed(), field.Key!),
        "email.kind" => FieldValue.Of(IsEmail ? Name : null),
        "email.id" => FieldValue.Of(EmailId),
        "email.programId" => FieldValue.Of(ProgramId?.ToString()),
        "email.url" => FieldValue.Of(IsEmail ? Url : null),
        _ => FieldValue.Missing,
    };

    private IReadOnlyDictionary<string, JsonElement> Parsed() => parsed ??= Properties is null or "{}"
        ? new Dictionary<string, JsonElement>()
        : JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(Properties) ?? [];
}
