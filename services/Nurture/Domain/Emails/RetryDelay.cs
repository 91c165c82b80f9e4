namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>How long a deferred mail waits.</summary>
public static class RetryDelay
{
    /// <summary>
    /// Doubles with each attempt up to <paramref name="longest"/>, of which a random half to whole is waited: mails that a server deferred
    /// together do not come back together.
    /// </summary>
    /// <param name="attempt">Attempts made so far, from 1.</param>
    /// <param name="first">Wait after the first attempt.</param>
    /// <param name="longest">Never longer than this.</param>
    /// <param name="chance">Random number from 0 to below 1.</param>
    public static TimeSpan After(int attempt, TimeSpan first, TimeSpan longest, double chance)
    {
        var whole = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 30)), longest.TotalSeconds);
        return TimeSpan.FromSeconds(whole * (0.5 + (chance / 2)));
    }
}
