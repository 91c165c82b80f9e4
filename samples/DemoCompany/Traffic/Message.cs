using System.Text.Json;
using System.Text.Json.Serialization;

namespace DemoCompany.Traffic;

/// <summary>A page as Segment's context tells it.</summary>
internal sealed record PageContext(string Url, string Path, string Title, string? Referrer);

internal sealed record MessageContext(PageContext? Page, string? UserAgent);

/// <summary>One message in the words of the Segment specification.</summary>
internal sealed record Message(string Type, string MessageId, DateTimeOffset Timestamp, string? AnonymousId, string? UserId)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public string? Event { get; init; }

    public MessageContext? Context { get; init; }

    public IReadOnlyDictionary<string, object>? Properties { get; init; }

    public IReadOnlyDictionary<string, object>? Traits { get; init; }

    /// <summary>The body of <c>POST /v1/batch</c>.</summary>
    public static byte[] Batch(IReadOnlyList<Message> messages) => JsonSerializer.SerializeToUtf8Bytes(new { batch = messages }, Json);
}
