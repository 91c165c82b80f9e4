using System.Collections.Concurrent;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>
/// Remembers which user agents are robots: a site sees few different ones, and telling costs more than all else that is read of a message.
/// Bounded: when full it begins anew.
/// </summary>
internal sealed class BotMemory
{
    private const int MaxAgents = 4096;

    private readonly ConcurrentDictionary<string, string?> known = new(StringComparer.Ordinal);

    /// <inheritdoc cref="Bots.Find"/>
    public string? Find(string? userAgent)
    {
        if (userAgent is null)
        {
            return null;
        }

        if (known.TryGetValue(userAgent, out var bot))
        {
            return bot;
        }

        if (known.Count >= MaxAgents)
        {
            known.Clear();
        }

        return known[userAgent] = Bots.Find(userAgent);
    }
}
