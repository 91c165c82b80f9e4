using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Kernel;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>Reads messages in the words of the Segment specification. Members that are not known are ignored.</summary>
public sealed class MessageReader
{
    /// <summary>Largest message, bytes of JSON, as in the Segment specification.</summary>
    public const int MaxBytes = 32 * 1024;

    private const int MaxId = 256;
    private const int MaxName = 500;
    private const int MaxUrl = 8192;

    /// <summary>How far ahead a message may lie.</summary>
    public static readonly TimeSpan MaxAhead = TimeSpan.FromMinutes(10);

    /// <summary>Clocks that differ by less are as likely slow networks; nothing is corrected.</summary>
    private static readonly TimeSpan MinSkew = TimeSpan.FromMinutes(1);

    /// <summary>A batch that seems sent longer ago was stored and is replayed: its times are right as they are.</summary>
    private static readonly TimeSpan MaxSkew = TimeSpan.FromDays(1);

    private static readonly DateTimeOffset Earliest = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly BotMemory bots = new();
    private readonly SourceMemory sources = new();

    private static readonly string[] Types = ["identify", "track", "page", "screen", "group", "alias"];

    /// <summary>Reads one message; the error names every fault.</summary>
    /// <param name="json">The message.</param>
    /// <param name="envelope">What holds for all messages of the request.</param>
    /// <param name="index">Position in the batch; messages without a time keep their order by it.</param>
    public Result<IngestMessage> Read(JsonElement json, Envelope envelope, int index)
    {
        var violations = new Violations();
        if (json.ValueKind != JsonValueKind.Object)
        {
            return Error.Invalid("message", "A message must be an object.");
        }

        var raw = JsonMarshal.GetRawUtf8Value(json);
        if (raw.Length > MaxBytes)
        {
            return Error.Invalid("message", $"The message has {raw.Length} bytes; at most {MaxBytes} are accepted.");
        }

        var isPlain = JsonChecks.IsPlain(raw);
        if (!isPlain && JsonChecks.IsTooDeep(json))
        {
            return Error.Invalid("message", $"The message is nested deeper than {JsonChecks.MaxDepth} levels.");
        }

        if (!isPlain && !JsonChecks.CanBeStored(json))
        {
            return Error.Invalid("message", "The message holds U+0000, half of a surrogate pair or a number beyond 1e300.");
        }

        var type = ReadType(json, envelope, violations);
        var messageId = violations.Id(json, "messageId", MaxId);
        var (anonymousId, userId) = (violations.Id(json, "anonymousId", MaxId), violations.Id(json, "userId", MaxId));
        var previousId = violations.Id(json, "previousId", MaxId);
        var groupId = violations.Id(json, "groupId", MaxId);
        var name = violations.Text(json, type == "track" ? "event" : "name", type == "track" ? "event" : "name", MaxName);
        var context = violations.Object(json, "context", "context");
        var properties = violations.Object(json, "properties", "properties");
        var traits = violations.Object(json, "traits", "traits");
        if (type == "identify" && !traits.EnumerateObject().Any())
        {
            // Where RudderStack's browser SDK puts them.
            traits = violations.Object(context, "traits", "context.traits");
        }

        var time = ReadTime(json, envelope, index, violations);
        var page = ReadPage(context, properties, type, violations);
        var campaign = violations.Object(context, "campaign", "context.campaign");
        var userAgent = violations.Clipped(context, "userAgent", "context.userAgent", Bots.MaxLength);
        violations.Require(type != "track" || name is not null, "event", "event is required for track.");
        violations.Require(type != "group" || groupId is not null, "groupId", "groupId is required for group.");
        if (type == "alias")
        {
            violations.Require(userId is not null, "userId", "userId is required for alias.");
            violations.Require(previousId is not null, "previousId", "previousId is required for alias.");
        }

        var activity = type switch
        {
            "track" => ActivityTypes.OfEvent(name ?? ""),
            "alias" => ActivityTypes.Identify,
            { } known => known.ToUpperInvariant(),
            null => ""
        };
        var person = PersonReader.Read(new(type ?? "", activity, time, userId, previousId, properties, traits), violations);
        violations.Require(
            type is null or "alias" || anonymousId is not null || userId is not null
                || (person.Capture is not null && person.Keys.Count > 0),
            "anonymousId",
            "anonymousId or userId is required.");
        var evidence = new PageContext(
            page.Url, page.Referrer,
            violations.Clipped(campaign, "source", "context.campaign.source", MaxName),
            violations.Clipped(campaign, "medium", "context.campaign.medium", MaxName),
            violations.Clipped(campaign, "name", "context.campaign.name", MaxName),
            violations.Clipped(campaign, "term", "context.campaign.term", MaxName));
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var device = type == "alias" ? (ContactPoints.TryEmail(previousId, out _) ? null : previousId) : anonymousId;
        var bot = bots.Find(userAgent ?? envelope.UserAgent) ?? envelope.SenderBot ?? NetworkOf(context, envelope.Networks);
        return new IngestMessage
        {
            MessageId = messageId ?? Guid.CreateVersion7(envelope.Received).ToString(),
            Type = activity,
            Name = Texts.Clip(type == "alias"
                ? "alias"
                : name ?? page.Title ?? page.Path ?? PathOf(page.Url) ?? (activity is ActivityTypes.Page ? "Page" : type), MaxName)!,
            Time = time,
            Device = device ?? (userId is null ? null : $"user:{userId}"),
            HasAnonymousId = anonymousId is not null && type != "alias",
            Page = evidence with { Url = PageContext.Stored(page.Url) },
            Source = sources.Read(envelope.Sources, evidence),
            Properties = (type is "identify" or "group" ? traits : properties).GetRawText(),
            Person = person,
            Dropped = bot is not null ? DropReason.Bot : Consent.IsDenied(context) ? DropReason.Consent : DropReason.None,
            Bot = bot,
        };
    }

    /// <summary>
    /// An id that is the same whenever the same message comes, so that it is counted once for ever: UUIDv7 layout with the message's time
    /// and, for randomness, SHA-256 of workspace and message id.
    /// </summary>
    public static Guid ActivityId(Guid workspaceId, IngestMessage message) => ActivityId(Key(workspaceId, message.MessageId), message.Time);

    /// <summary>As above, from the key.</summary>
    public static Guid ActivityId(Guid key, DateTimeOffset time)
    {
        Span<byte> id = stackalloc byte[16];
        key.TryWriteBytes(id, bigEndian: true, out _);
        var milliseconds = time.ToUnixTimeMilliseconds();
        for (var index = 0; index < 6; index++)
        {
            id[index] = (byte)(milliseconds >> (40 - (8 * index)));
        }

        id[6] = (byte)(0x70 | (id[6] & 0x0f));
        id[8] = (byte)(0x80 | (id[8] & 0x3f));
        return new Guid(id, bigEndian: true);
    }

    /// <summary>
    /// By what a message is told from others while it deduplicates: the first half of SHA-256 of workspace and message id.
    /// </summary>
    public static Guid Key(Guid workspaceId, string messageId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        // An id has at most MaxId characters, each of at most three bytes.
        Span<byte> text = stackalloc byte[37 + (3 * MaxId)];
        workspaceId.TryFormat(text, out var length);
        text[length++] = (byte)'|';
        length += Encoding.UTF8.GetBytes(messageId, text[length..]);
        SHA256.HashData(text[..length], hash);
        return new Guid(hash[..16], bigEndian: true);
    }

    private static string? NetworkOf(JsonElement context, BotNetworks? networks) =>
        networks is { Any: true } && context.TryGetProperty("ip", out var ip) && ip.ValueKind == JsonValueKind.String
            && networks.Contains(ip.GetString())
            ? BotNetworks.Name
            : null;

    private static string? ReadType(JsonElement json, Envelope envelope, Violations violations)
    {
        var type = violations.Text(json, "type", "type", 20);
        if (envelope.Type is { } path)
        {
            violations.Require(type is null || type == path, "type", $"type must be {path} here, or be left out.");
            return path;
        }

        return violations.Require(type is not null && Types.Contains(type), "type", $"type must be one of {string.Join(", ", Types)}.")
            ? type
            : null;
    }

    private static DateTimeOffset ReadTime(JsonElement json, Envelope envelope, int index, Violations violations)
    {
        // One tick of the store apart, so that a batch without times keeps its order.
        var time = envelope.Received.AddTicks(index * TimeSpan.TicksPerMicrosecond);
        var name = json.TryGetProperty("timestamp", out var given) && given.ValueKind != JsonValueKind.Null
            ? "timestamp"
            : "originalTimestamp";
        if (json.TryGetProperty(name, out given) && given.ValueKind != JsonValueKind.Null)
        {
            if (!TryTime(given, out time))
            {
                violations.Add(name, $"{name} must be an ISO 8601 time such as 2026-03-31T09:30:00Z.");
                return envelope.Received;
            }

            var sentAt = json.TryGetProperty("sentAt", out var sent) && TryTime(sent, out var own) ? own : envelope.SentAt;
            var skew = sentAt is { } at ? envelope.Received - at : TimeSpan.Zero;
            if (skew.Duration() > MinSkew && skew < MaxSkew && time.Year is > 1 and < 9999)
            {
                time += skew;
            }

            violations.Require(time <= envelope.Received + MaxAhead, name, $"{name} lies more than 10 minutes ahead.");
            violations.Require(time >= Earliest, name, $"{name} lies before the year 2000.");
        }

        return new DateTimeOffset(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }

    /// <summary>Whether a message of that time is taken: it lies neither too far ahead nor too far back.</summary>
    public static bool IsAccepted(DateTimeOffset time, DateTimeOffset received) => time <= received + MaxAhead && time >= Earliest;

    /// <summary>An ISO 8601 time; without an offset it is UTC.</summary>
    public static bool TryTime(JsonElement value, out DateTimeOffset time)
    {
        time = default;
        if (value.ValueKind != JsonValueKind.String || !JsonMarshal.GetRawUtf8Value(value).Contains((byte)'T'))
        {
            return false;
        }

        if (value.TryGetDateTime(out var local) && local.Kind == DateTimeKind.Unspecified)
        {
            time = new DateTimeOffset(local, TimeSpan.Zero);
            return true;
        }

        return value.TryGetDateTimeOffset(out time);
    }

    private static (string? Url, string? Referrer, string? Title, string? Path) ReadPage(
        JsonElement context, JsonElement properties, string? type, Violations violations)
    {
        var page = violations.Object(context, "page", "context.page");
        var url = violations.Clipped(page, "url", "context.page.url", MaxUrl);
        var referrer = violations.Clipped(page, "referrer", "context.page.referrer", MaxUrl);
        var (title, path) = (violations.Clipped(page, "title", "context.page.title", MaxName), violations.Clipped(
            page, "path", "context.page.path", MaxUrl));
        if (type == "page")
        {
            // Segment's page call repeats the page in its properties; servers often give it only there.
            url ??= violations.Clipped(properties, "url", "properties.url", MaxUrl);
            referrer ??= violations.Clipped(properties, "referrer", "properties.referrer", MaxUrl);
            title ??= violations.Clipped(properties, "title", "properties.title", MaxName);
            path ??= violations.Clipped(properties, "path", "properties.path", MaxUrl);
        }

        return (url, referrer, title, path);
    }

    private static string? PathOf(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var page) ? page.AbsolutePath : null;
}

/// <summary>What holds for all messages of a request.</summary>
/// <param name="Received">When the request came.</param>
/// <param name="SentAt">When the sender's clock sent it.</param>
/// <param name="Type">Type that the path names; null in a batch.</param>
/// <param name="UserAgent">Browser's user agent, where the request comes from the browser itself.</param>
/// <param name="Sources">Reads where visitors come from, by the workspace's rules.</param>
/// <param name="SenderBot">Name of the robot that the request's headers show its sender to be.</param>
/// <param name="Networks">Networks of robots, for messages that say the visitor's address.</param>
public sealed record Envelope(
    DateTimeOffset Received, DateTimeOffset? SentAt, string? Type, string? UserAgent, SourceReader Sources, string? SenderBot = null,
    BotNetworks? Networks = null);
