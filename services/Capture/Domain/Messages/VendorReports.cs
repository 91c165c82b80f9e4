using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Domain.Identities;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>
/// Turns the flat JSON in which call-tracking and chat vendors report into the track message that says the same. Forgiving: names in any
/// spelling (<see cref="VendorNames"/>), numbers and flags as text, the person in an object of its own. What cannot be understood is left
/// out rather than refused, since a vendor only sends the same again.
/// </summary>
public static class VendorReports
{
    /// <summary>Letters of all scripts stand for themselves, so that a transcript takes no more room than it must.</summary>
    public static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const int MaxText = 4000;
    private const int MaxMembers = 100;

    // Vendors put the person into an object of its own; its members count as if they stood beside.
    private static readonly string[] Holders =
        ["caller", "customer", "visitor", "contact", "user", "lead", "properties", "custom", "customfields", "attribution", "utm"];

    private static readonly string[] Answered = ["true", "yes", "y", "1", "answered", "completed", "complete", "connected"];
    private static readonly string[] Missed =
        ["false", "no", "n", "0", "missed", "noanswer", "busy", "failed", "canceled", "cancelled", "voicemail", "abandoned", "unanswered"];

    /// <summary>The message <c>Call Received</c>.</summary>
    /// <param name="report">The vendor's object.</param>
    /// <param name="received">When it came.</param>
    public static JsonObject Call(JsonElement report, DateTimeOffset received) =>
        Message(report, received, "Call Received", "call", VendorNames.OfCall);

    /// <summary>The message <c>Chat Started</c>.</summary>
    /// <param name="report">The vendor's object.</param>
    /// <param name="received">When it came.</param>
    public static JsonObject Chat(JsonElement report, DateTimeOffset received) =>
        Message(report, received, "Chat Started", "chat", VendorNames.OfChat);

    private static JsonObject Message(
        JsonElement report, DateTimeOffset received, string name, string prefix, Func<string, string?> canonical)
    {
        var (told, properties) = (new Dictionary<string, string>(StringComparer.Ordinal), new JsonObject());
        Collect(report, canonical, told, properties, depth: 0);
        foreach (var (key, text) in told)
        {
            if (Property(key, text) is { } value)
            {
                properties[key] = value;
            }
        }

        var message = new JsonObject
        {
            ["type"] = "track",
            ["event"] = name,
            ["properties"] = properties,
            ["messageId"] = MessageId(report, prefix, told)
        };
        foreach (var id in new[] { "anonymousId", "userId" })
        {
            if (told.TryGetValue(id, out var text) && text.Length <= 256)
            {
                message[id] = text;
            }
        }

        // Vendors without a zone in their times may seem hours ahead; that is no reason to lose the call.
        if (told.TryGetValue("startTime", out var start) && Time(start) is { } time && MessageReader.IsAccepted(time, received))
        {
            message["timestamp"] = time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        }

        if (Context(told) is { Count: > 0 } context)
        {
            message["context"] = context;
        }

        Shorten(message, properties, told);
        return message;
    }

    // Of more than a message may hold the longest parts go, first those that nobody reads by name: the person matters more than what was
    // said.
    private static void Shorten(JsonObject message, JsonObject properties, Dictionary<string, string> told)
    {
        var excess = Bytes(message) - MessageReader.MaxBytes;
        if (excess <= 0)
        {
            return;
        }

        var longest = properties.Select(pair => (pair.Key, Bytes: Bytes(pair.Value)))
            .OrderBy(part => told.ContainsKey(part.Key)).ThenByDescending(part => part.Bytes).ToArray();
        for (var index = 0; excess > 0 && index < longest.Length; index++)
        {
            properties.Remove(longest[index].Key);
            excess -= longest[index].Bytes;
        }
    }

    private static int Bytes(JsonNode? part) => JsonSerializer.SerializeToUtf8Bytes(part, Json).Length;

    private static void Collect(
        JsonElement report, Func<string, string?> canonical, Dictionary<string, string> told, JsonObject properties, int depth)
    {
        foreach (var member in report.EnumerateObject().Take(MaxMembers).Where(JsonChecks.IsReadable))
        {
            var known = canonical(member.Name);
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                if (depth == 0 && Holders.Contains(VendorNames.Normal(member.Name)))
                {
                    Collect(member.Value, canonical, told, properties, depth: 1);
                }

                continue;
            }

            if (Text(member.Value) is not { } text)
            {
                continue;
            }

            if (known is not null)
            {
                // The first of two names for the same thing holds, and one that stands outside goes before one inside.
                told.TryAdd(known, text);
            }
            else if (member.Name.Length is > 0 and <= 100 && Names.Canonical(member.Name) is not "email")
            {
                properties.TryAdd(
                    member.Name, JsonNode.Parse(member.Value.ValueKind == JsonValueKind.String ? JsonSerializer.Serialize(text) : text));
            }
        }
    }

    private static JsonValue? Property(string key, string text) => key switch
    {
        "anonymousId" or "userId" or "startTime" or "source" or "medium" or "campaign" or "keyword" or "referrer"
            or "landingPage" or "id" => null,
        "email" => ContactPoints.TryEmail(text, out var email) ? JsonValue.Create(email) : null,
        "phone" => ContactPoints.TryPhone(text, out var phone) ? JsonValue.Create(phone) : null,
        "durationSeconds" => Seconds(text) is { } seconds ? JsonValue.Create(seconds) : null,
        "answered" => Flag(text) is { } flag ? JsonValue.Create(flag) : JsonValue.Create(text),
        _ => JsonValue.Create(text),
    };

    private static JsonObject Context(Dictionary<string, string> told)
    {
        var (context, page, campaign) = (new JsonObject(), new JsonObject(), new JsonObject());
        foreach (var (key, target, name) in new[]
        {
            ("landingPage", page, "url"), ("referrer", page, "referrer"),
            ("source", campaign, "source"), ("medium", campaign, "medium"), ("campaign", campaign, "name"), ("keyword", campaign, "term"),
        })
        {
            if (told.TryGetValue(key, out var text))
            {
                target[name] = Texts.Clip(text, target == page ? 8000 : 500);
            }
        }

        if (page.Count > 0)
        {
            context["page"] = page;
        }

        if (campaign.Count > 0)
        {
            context["campaign"] = campaign;
        }

        return context;
    }

    // A report without an id of its own is known again by its content: its bytes, since they need not be text.
    private static string MessageId(JsonElement report, string prefix, Dictionary<string, string> told) =>
        told.TryGetValue("id", out var id) && id.Length <= 200
            ? $"{prefix}:{id}"
            : $"{prefix}:{Convert.ToHexStringLower(SHA256.HashData(JsonMarshal.GetRawUtf8Value(report)).AsSpan(0, 16))}";

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Texts.Clip(value.GetString(), MaxText),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };

    /// <summary>Seconds as a number, or as <c>mm:ss</c> or <c>hh:mm:ss</c>.</summary>
    private static long? Seconds(string text)
    {
        var parts = text.Split(':');
        if (parts.Length is < 1 or > 3)
        {
            return null;
        }

        var seconds = 0m;
        foreach (var part in parts)
        {
            if (!decimal.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value > 1_000_000)
            {
                return null;
            }

            seconds = (seconds * 60) + value;
        }

        return (long)seconds;
    }

    private static bool? Flag(string text) =>
        VendorNames.Normal(text) is var word && Answered.Contains(word) ? true : Missed.Contains(word) ? false : null;

    /// <summary>
    /// An ISO 8601 time, with a blank for the T too (UTC unless it says otherwise), or seconds or milliseconds since 1970.
    /// </summary>
    private static DateTimeOffset? Time(string text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number is > 946_684_800 and < 4_102_444_800 ? DateTimeOffset.FromUnixTimeSeconds(number)
                : number is > 946_684_800_000 and < 4_102_444_800_000 ? DateTimeOffset.FromUnixTimeMilliseconds(number)
                : null;
        }

        return text.Length >= 10 && char.IsAsciiDigit(text[0])
            && DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                ? time
                : null;
    }
}
