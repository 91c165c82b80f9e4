namespace Lifecycle.Webhooks;

/// <summary>When a delivery that failed is tried again.</summary>
public static class WebhookSchedule
{
    /// <summary>Pauses before each attempt, the first at once: ten attempts within some 76 hours.</summary>
    public static IReadOnlyList<TimeSpan> Pauses { get; } =
    [
        TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2),
            TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>The pause after so many failed attempts; null when there is no further one.</summary>
    /// <param name="retryAfter">What the receiver asked for; at most a day of it is granted.</param>
    public static TimeSpan? After(int attempts, TimeSpan? retryAfter = null)
    {
        if (attempts >= Pauses.Count)
        {
            return null;
        }

        var asked = retryAfter is { } pause && pause < TimeSpan.FromDays(1) ? pause : retryAfter is null ? TimeSpan.Zero
            : TimeSpan.FromDays(1);
        return asked > Pauses[attempts] ? asked : Pauses[attempts];
    }
}
