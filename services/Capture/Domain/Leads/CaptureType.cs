namespace Lifecycle.Capture.Domain.Leads;

/// <summary>How a person became known. The names in capitals are those of the API and the events.</summary>
public enum CaptureType
{
    Form = 1,
    Call = 2,
    Chat = 3,
    Import = 4,
    Api = 5,
    Identify = 6,
}

/// <summary>One occasion on which a person became known.</summary>
/// <param name="Time">When.</param>
/// <param name="Type">How.</param>
/// <param name="FormType">Kind of form.</param>
public sealed record CaptureEvidence(DateTimeOffset Time, CaptureType Type, string? FormType)
{
    // A site identifies a person in the same breath in which the form is sent; the form is how the person became known.
    private static readonly TimeSpan FormAdvantage = TimeSpan.FromMinutes(5);

    /// <summary>The capture types' names: capitals.</summary>
    public string TypeName => Type.ToString().ToUpperInvariant();

    /// <summary>
    /// Whether this occasion tells better how the person became known than the other: the earlier does, forms, calls and chats counting
    /// five minutes earlier than they were.
    /// </summary>
    public bool Precedes(CaptureEvidence other) =>
        (Weight, Type, FormType ?? "").CompareTo((other.Weight, other.Type, other.FormType ?? "")) < 0;

    private DateTimeOffset Weight => Type is CaptureType.Form or CaptureType.Call or CaptureType.Chat ? Time - FormAdvantage : Time;
}
