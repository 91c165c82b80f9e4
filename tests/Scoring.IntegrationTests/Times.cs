namespace Scoring.IntegrationTests;

/// <summary>Times relative to now, as the service that is a process of its own sees it, in the microseconds that Postgres keeps.</summary>
internal static class Times
{
    public static DateTimeOffset Now => Micro(TimeProvider.System.GetUtcNow());

    public static DateTimeOffset Micro(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
