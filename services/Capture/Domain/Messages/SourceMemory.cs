using System.Collections.Concurrent;
using Lifecycle.Capture.Domain.Channels;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>
/// Remembers what pages and referrers were read as: behind the first page of a visit they are the site's own, a few again and again.
/// Bounded: when full it begins anew.
/// </summary>
internal sealed class SourceMemory
{
    private const int MaxPages = 8192;

    /// <summary>Longest address that is remembered; longer ones mostly carry something of their own.</summary>
    private const int MaxUrl = 300;

    private readonly ConcurrentDictionary<(SourceReader Reader, PageContext Page), TrafficSource> known = new();

    /// <inheritdoc cref="SourceReader.Read"/>
    public TrafficSource Read(SourceReader reader, PageContext page)
    {
        if (page.Url?.Length > MaxUrl || page.Referrer?.Length > MaxUrl)
        {
            return reader.Read(page);
        }

        if (known.TryGetValue((reader, page), out var source))
        {
            return source;
        }

        if (known.Count >= MaxPages)
        {
            known.Clear();
        }

        return known[(reader, page)] = reader.Read(page);
    }
}
