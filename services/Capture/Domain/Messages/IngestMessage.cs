using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>Why a message is counted and not kept.</summary>
public enum DropReason
{
    /// <summary>It is kept.</summary>
    None = 0,

    /// <summary>Sent by a robot.</summary>
    Bot = 1,

    /// <summary>The visitor does not consent to analytics.</summary>
    Consent = 2,
}

/// <summary>A message that passed every check.</summary>
public sealed record IngestMessage
{
    /// <summary>Deduplicates.</summary>
    public required string MessageId { get; init; }

    /// <summary>
    /// <c>PAGE</c>, <c>SCREEN</c>, <c>TRACK</c>, <c>FORM</c>, <c>CALL</c>, <c>CHAT</c>, <c>DOWNLOAD</c>, <c>IDENTIFY</c> or <c>GROUP</c>;
    /// an alias is an <c>IDENTIFY</c>.
    /// </summary>
    public required string Type { get; init; }

    /// <summary>Name of the event or page.</summary>
    public required string Name { get; init; }

    /// <summary>UTC, whole microseconds, corrected for the sender's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Sender's id of the device; a person's id stands in where there is none. Null when the message names neither.</summary>
    public string? Device { get; init; }

    /// <summary>Whether the sender named a device.</summary>
    public bool HasAnonymousId { get; init; }

    public PageContext Page { get; init; } = PageContext.Empty;

    /// <summary>Source of the visit, as far as this message tells.</summary>
    public TrafficSource Source { get; init; } = TrafficSource.None;

    /// <summary>Properties as a JSON object.</summary>
    public string Properties { get; init; } = "{}";

    /// <summary>What it says of a person.</summary>
    public required PersonFacts Person { get; init; }

    public DropReason Dropped { get; init; }

    /// <summary>Name of the bot, in lower case.</summary>
    public string? Bot { get; init; }

    public bool IsPageView => Type is ActivityTypes.Page or ActivityTypes.Screen;

    /// <summary>
    /// Whether it may begin a session: what happens on a device does, what a server tells of a person only with a page or campaign.
    /// </summary>
    public bool Opens => Device is not null && (HasAnonymousId || IsPageView || Source.Kind != EvidenceKind.None);
}

/// <summary>Types of activities, as events carry them.</summary>
public static class ActivityTypes
{
    public const string Page = "PAGE";
    public const string Screen = "SCREEN";
    public const string Track = "TRACK";
    public const string Form = "FORM";
    public const string Call = "CALL";
    public const string Chat = "CHAT";
    public const string Download = "DOWNLOAD";
    public const string Identify = "IDENTIFY";
    public const string Group = "GROUP";

    /// <summary>Type of a tracked event: the known events have their own.</summary>
    public static string OfEvent(string name) => name switch
    {
        "Form Submitted" => Form,
        "Call Received" => Call,
        "Chat Started" => Chat,
        "Content Downloaded" => Download,
        _ => Track,
    };
}
