using Lifecycle.Capture.Domain.Channels;

namespace Lifecycle.Capture.Domain.Tracking;

/// <summary>A number for visits that meet every condition given; null is no condition.</summary>
/// <param name="Number">E.164, with the plus.</param>
/// <param name="DisplayNumber">As people read it.</param>
/// <param name="Source">As reports name it, lower case.</param>
/// <param name="Medium">Lower case.</param>
/// <param name="Campaign">In any case.</param>
/// <param name="Channel">In any case.</param>
public sealed record TrackingNumber(string Number, string DisplayNumber, string? Source, string? Medium, string? Campaign, string? Channel)
{
    private const int MinNationalDigits = 7;

    private int Conditions => new[] { Source, Medium, Campaign, Channel }.Count(condition => condition is not null);

    /// <summary>The number to show to a visit: of those whose conditions it meets the one with the most, then the first.</summary>
    public static TrackingNumber? For(IEnumerable<TrackingNumber> numbers, TrafficSource visit) =>
        numbers.Where(number => number.Meets(visit)).MaxBy(number => number.Conditions);

    /// <summary>
    /// The number that was called. Vendors write it with and without the country's prefix: a text of at least 7 digits, leading zeros
    /// aside, names the number that ends with it, if there is only one.
    /// </summary>
    public static TrackingNumber? Called(IEnumerable<TrackingNumber> numbers, string? text)
    {
        var digits = Digits(text ?? "");
        var national = digits.TrimStart('0');
        bool IsMeant(string own) =>
            own == digits || (national.Length >= MinNationalDigits && own.EndsWith(national, StringComparison.Ordinal));
        var matches = numbers.Where(number => IsMeant(Digits(number.Number))).Take(2).ToArray();
        return matches.Length == 1 ? matches[0] : null;
    }

    /// <summary>Where a call to this number came from.</summary>
    /// <param name="classify">Channel of source, medium and campaign, for rules that name none.</param>
    public TrafficSource ToSource(Func<string?, string?, string?, string> classify) =>
        new(EvidenceKind.Campaign, Channel ?? classify(Source, Medium, Campaign), Source, Medium, Campaign, null, null);

    private bool Meets(TrafficSource visit) =>
        Meets(Source, visit.Source) && Meets(Medium, visit.Medium) && Meets(Campaign, visit.Campaign) && Meets(Channel, visit.Channel);

    private static bool Meets(string? condition, string? value) =>
        condition is null || string.Equals(condition, value, StringComparison.OrdinalIgnoreCase);

    private static string Digits(string text) => new(text.Where(char.IsAsciiDigit).ToArray());
}
