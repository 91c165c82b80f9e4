namespace Lifecycle.Postgres;

/// <summary>Exponential waits with full jitter, so that those who failed together do not return together.</summary>
internal static class Backoff
{
    /// <param name="attempt">1 for the first failure.</param>
    /// <param name="first">Longest wait after the first failure; doubles with each more.</param>
    /// <param name="cap">Longest wait of all.</param>
    /// <returns>Between a half and the whole of the bound.</returns>
    public static TimeSpan Delay(int attempt, TimeSpan first, TimeSpan cap)
    {
        var bound = Math.Min(cap.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(attempt - 1, 30)));
        return TimeSpan.FromMilliseconds(bound * (0.5 + (Random.Shared.NextDouble() / 2)));
    }
}
