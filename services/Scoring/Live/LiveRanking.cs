using StackExchange.Redis;

namespace Lifecycle.Scoring.Live;

/// <summary>
/// Reads the highest totals out of the ranges. Ranges are merged by the most that their next lead can have, and exact totals decide; only
/// what can still be among the highest is read.
/// </summary>
internal sealed class LiveRanking(IDatabase database, LiveKeys keys, IReadOnlySet<Guid> except)
{
    private const int FirstPage = 10;
    private const int Page = 100;

    /// <summary>Scores with the highest totals at a time, in no order.</summary>
    /// <param name="limit">How many.</param>
    /// <param name="minTotal">Lower totals may be left out.</param>
    /// <param name="time">When.</param>
    public async Task<List<LiveScore>> Top(int limit, double minTotal, DateTimeOffset time)
    {
        var ranges = (await database.SetMembersAsync(keys.Ranges)).Select(range => new RangeReader(database, keys, range!, time)).ToArray();
        await Task.WhenAll(ranges.Select(range => range.Fill()));
        var heads = new PriorityQueue<RangeReader, double>();
        foreach (var range in ranges.Where(range => range.Head is not null))
        {
            heads.Enqueue(range, -range.Head!.Value.Bound);
        }

        var seen = new HashSet<Guid>(except);
        var best = new PriorityQueue<LiveScore, double>();
        while (heads.Count > 0)
        {
            // Equal bounds share a batch, so that few round trips read many leads.
            var batch = new List<Guid>();
            while (batch.Count < Page && heads.TryPeek(out var range, out var negative)
                && -negative >= minTotal - 0.005 && !(best.Count >= limit && best.TryPeek(out _, out var least) && -negative < least))
            {
                heads.Dequeue();
                if (range.Take() is { } leadId && seen.Add(leadId))
                {
                    batch.Add(leadId);
                }

                if (range.Head is null)
                {
                    await range.Fill();
                }

                if (range.Head is { } next)
                {
                    heads.Enqueue(range, -next.Bound);
                }
            }

            if (batch.Count == 0)
            {
                break;
            }

            var reads = await Task.WhenAll(batch.Select(id => database.HashGetAsync(keys.Block(id), LiveKeys.Id(id))));
            foreach (var score in reads.Zip(batch, (value, id) => LiveKeys.Parse(id, value)).OfType<LiveScore>())
            {
                best.Enqueue(score, score.State.TotalAt(time));
                if (best.Count > limit)
                {
                    best.Dequeue();
                }
            }
        }

        return best.UnorderedItems.Select(item => item.Element).ToList();
    }

    /// <summary>Reads one range from its highest lead down.</summary>
    private sealed class RangeReader(IDatabase database, LiveKeys keys, string range, DateTimeOffset time)
    {
        private readonly Queue<(Guid? LeadId, double Bound)> page = new();
        private long read;
        private bool ended;

        public (Guid? LeadId, double Bound)? Head => page.TryPeek(out var head) ? head : null;

        public Guid? Take() => page.Dequeue().LeadId;

        public async Task Fill()
        {
            if (ended)
            {
                return;
            }

            var size = read == 0 ? FirstPage : Page;
            var entries = await database.SortedSetRangeByRankWithScoresAsync(
                keys.RangePrefix + range, read, read + size - 1, Order.Descending);
            (read, ended) = (read + entries.Length, entries.Length < size);
            foreach (var entry in entries)
            {
                page.Enqueue((LiveKeys.Lead(entry.Element), LiveScore.Bound(range, entry.Score, time)));
            }
        }
    }
}
