using System.Globalization;
using StackExchange.Redis;

namespace Lifecycle.Scoring.Live;

/// <summary>
/// Reads the highest totals out of the ranges. Ranges are merged by the most that their next lead can have, and exact totals decide; only
/// what can still be among the highest is read. Redis merges them in one script as far as that is short; where many leads may be higher
/// than they are (constants with fractions, several half-lives), they are read page by page, which holds up nobody else.
/// </summary>
internal sealed class LiveRanking(IDatabase database, LiveKeys keys, IReadOnlySet<Guid> except)
{
    private const int FirstPage = 10;
    private const int Page = 100;

    /// <summary>Leads that one run of the script reads at most: some milliseconds.</summary>
    private const int MaxAtOnce = 2_000;

    /// <summary>Totals that differ by less differ by rounding alone.</summary>
    private const double Rounding = 1e-9;
    private static readonly string TopScript = LiveScores.Script("top.lua");

    /// <summary>Scores with the highest totals at a time, in no order; of equal ones any. Null: not all leads are in Redis.</summary>
    /// <param name="limit">How many.</param>
    /// <param name="minTotal">Lower totals may be left out.</param>
    /// <param name="time">When.</param>
    public async Task<List<LiveScore>?> Top(int limit, double minTotal, DateTimeOffset time)
    {
        // Leads with the highest bounds are the highest, mostly. Those whose bounds lie above the least of them are looked at, once.
        var lowest = minTotal - 0.005;
        foreach (var count in new[] { limit + except.Count, MaxAtOnce }.Where(count => count <= MaxAtOnce))
        {
            var answer = (RedisValue[]?)await LiveScores.Evaluate(
                database, TopScript, [keys.Complete, keys.Ranges, keys.RangePrefix, keys.BlockPrefix],
                [
                    (time - LiveScore.Epoch).TotalSeconds.ToString("R", CultureInfo.InvariantCulture), count,
                    double.IsNegativeInfinity(lowest) ? "-inf" : lowest.ToString("R", CultureInfo.InvariantCulture), LiveKeys.Blocks,
                ]);
            if (answer is not { Length: > 0 } || answer[0].IsNull)
            {
                return null;
            }

            var (best, seen) = (new PriorityQueue<LiveScore, double>(), new HashSet<Guid>(except));
            for (var index = 1; index + 1 < answer.Length; index += 2)
            {
                if (LiveKeys.Lead(answer[index]) is { } leadId && seen.Add(leadId)
                    && LiveKeys.Parse(leadId, answer[index + 1]) is { } score)
                {
                    Keep(best, score, limit, time);
                }
            }

            var least = best.Count == limit && best.TryPeek(out _, out var total) ? total : double.NegativeInfinity;
            if ((string?)answer[0] is not { Length: > 0 } next || double.Parse(next, CultureInfo.InvariantCulture) <= least + Rounding)
            {
                return Scores(best);
            }

            lowest = Math.Max(lowest, least - Rounding);
        }

        var names = await database.SetMembersAsync(keys.Ranges);
        return await Merge(names.Select(range => (string)range!), limit, minTotal, time);
    }

    /// <summary>Scores with the highest totals at a time, in no order. Each round trip reads leads, and further pages of the ranges that
    /// ran out; a range that ran out holds up no other, as reading too many leads is harmless.</summary>
    /// <param name="names">The ranges.</param>
    /// <param name="limit">How many.</param>
    /// <param name="minTotal">Lower totals may be left out.</param>
    /// <param name="time">When.</param>
    private async Task<List<LiveScore>> Merge(IEnumerable<string> names, int limit, double minTotal, DateTimeOffset time)
    {
        var empty = names.Select(range => new RangeReader(database, keys, range, time)).ToList();
        var heads = new PriorityQueue<RangeReader, double>();
        var seen = new HashSet<Guid>(except);
        var best = new PriorityQueue<LiveScore, double>();
        var batch = new List<Guid>();
        do
        {
            var fills = Task.WhenAll(empty.Select(range => range.Fill()));
            var reads = await Task.WhenAll(batch.Select(id => database.HashGetAsync(keys.Block(id), LiveKeys.Id(id))));
            await fills;
            foreach (var score in reads.Zip(batch, (value, id) => LiveKeys.Parse(id, value)).OfType<LiveScore>())
            {
                Keep(best, score, limit, time);
            }

            foreach (var range in empty.Where(range => range.Head is not null))
            {
                heads.Enqueue(range, -range.Head!.Value.Bound);
            }

            empty.Clear();
            batch.Clear();
            while (batch.Count < Page && heads.TryPeek(out var range, out var negative)
                && -negative >= minTotal - 0.005
                && !(best.Count >= limit && best.TryPeek(out _, out var least) && -negative <= least + Rounding))
            {
                heads.Dequeue();
                if (range.Take() is { } leadId && seen.Add(leadId))
                {
                    batch.Add(leadId);
                }

                if (range.Head is { } next)
                {
                    heads.Enqueue(range, -next.Bound);
                }
                else if (!range.Ended)
                {
                    empty.Add(range);
                }
            }
        }
        while (batch.Count + empty.Count > 0);
        return Scores(best);
    }

    private static void Keep(PriorityQueue<LiveScore, double> best, LiveScore score, int limit, DateTimeOffset time)
    {
        best.Enqueue(score, score.State.TotalAt(time));
        if (best.Count > limit)
        {
            best.Dequeue();
        }
    }

    private static List<LiveScore> Scores(PriorityQueue<LiveScore, double> best) =>
        best.UnorderedItems.Select(item => item.Element).ToList();

    /// <summary>Reads one range from its highest lead down.</summary>
    private sealed class RangeReader(IDatabase database, LiveKeys keys, string range, DateTimeOffset time)
    {
        private readonly Queue<(Guid? LeadId, double Bound)> page = new();
        private long read;

        public bool Ended { get; private set; }

        public (Guid? LeadId, double Bound)? Head => page.TryPeek(out var head) ? head : null;

        public Guid? Take() => page.Dequeue().LeadId;

        public async Task Fill()
        {
            var size = read == 0 ? FirstPage : Page;
            var entries = await database.SortedSetRangeByRankWithScoresAsync(
                keys.RangePrefix + range, read, read + size - 1, Order.Descending);
            (read, Ended) = (read + entries.Length, entries.Length < size);
            foreach (var entry in entries)
            {
                page.Enqueue((LiveKeys.Lead(entry.Element), LiveScore.Bound(range, entry.Score, time)));
            }
        }
    }
}
