using System.Globalization;

namespace Lifecycle.Kernel.Expressions;

/// <summary>Readers of times and durations as people write them in models, segments and programs.</summary>
public static class Literals
{
    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
        "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
    ];

    /// <summary>A day (its first instant, UTC) or an RFC 3339 time.</summary>
    public static bool TryTime(string? text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);

    /// <summary>A whole or decimal number with a unit: <c>30d</c>, <c>12h</c>, <c>90m</c>, <c>45s</c>, <c>2w</c>. Positive, at most 36,500
    /// days.</summary>
    public static bool TryDuration(string? text, out TimeSpan duration)
    {
        duration = default;
        if (text is not { Length: >= 2 and <= 20 }
            || UnitSeconds(text[^1]) is not { } unit
            || !decimal.TryParse(
                text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            || count <= 0 || count * unit > 36_500m * 86_400m)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)(count * unit * TimeSpan.TicksPerSecond));
        return duration > TimeSpan.Zero;
    }

    /// <summary>The shortest text that <see cref="TryDuration"/> reads back as the same duration (to the second): <c>30d</c>,
    /// <c>36h</c>.</summary>
    public static string Text(TimeSpan duration)
    {
        var seconds = duration.Ticks / TimeSpan.TicksPerSecond;
        return (seconds % 86_400, seconds % 3_600, seconds % 60) switch
        {
            (0, _, _) => $"{seconds / 86_400}d",
            (_, 0, _) => $"{seconds / 3_600}h",
            (_, _, 0) => $"{seconds / 60}m",
            _ => $"{seconds}s",
        };
    }

    private static int? UnitSeconds(char unit) => unit switch
    {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => null,
    };
}
