using System.Globalization;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Lifecycle.Scoring.Live;

/// <summary>
/// Live scores in Redis: quick to read, and nobody's truth. Every method answers null or false, soon, when Redis is out of reach. Per
/// workspace there is a hash per lead, a sorted set per range (see <see cref="LiveScore.Place"/>), the set of ranges, and a mark that all
/// leads are in.
/// </summary>
public sealed partial class LiveScores(RedisConnection redis, IOptions<ScoringOptions> options, ILogger<LiveScores> logger)
{
    private const int PageSize = 100;

    /// <summary>Nobody waits for what is written or restored in the background.</summary>
    private const int WritePatience = 10;
    private static readonly string SetScript = Script("score.lua");
    private static readonly string CompleteScript = Script("complete.lua");
    private const string ServerKey = "lifecycle:scoring:server";
    private readonly TimeSpan timeout = TimeSpan.FromMilliseconds(options.Value.RedisTimeoutMilliseconds);

    /// <summary>Live scores of leads; an element is null where Redis has none. Null: Redis is out of reach.</summary>
    public Task<LiveScore?[]?> Read(Guid workspaceId, IReadOnlyList<Guid> leadIds) => Try(async database =>
    {
        var reads = leadIds.Select(id => database.HashGetAsync(LeadKey(workspaceId, id), "d")).ToArray();
        return (await Task.WhenAll(reads)).Select(value => value.IsNullOrEmpty ? null : LiveScore.Parse(value!)).ToArray();
    });

    /// <summary>Writes scores, or with a null score takes the lead out. False: Redis is out of reach, and any part may have been
    /// written.</summary>
    /// <param name="workspaceId">Workspace.</param>
    /// <param name="entries">Lead, version, score.</param>
    /// <param name="force">Whatever version is there; else only newer ones.</param>
    public async Task<bool> Write(
        Guid workspaceId, IReadOnlyCollection<(Guid LeadId, long Version, LiveScore? Score)> entries, bool force) =>
        await Try(async database =>
        {
            await Task.WhenAll(entries.Select(entry =>
            {
                var (range, rank) = entry.Score?.Place() ?? ("", 0);
                return Evaluate(database, SetScript,
                    [LeadKey(workspaceId, entry.LeadId), RangesKey(workspaceId), RangePrefix(workspaceId)],
                    [
                        entry.Version, force ? "1" : "0", entry.Score?.ToJson() ?? "", entry.LeadId.ToString("N"), range,
                        rank.ToString("R", CultureInfo.InvariantCulture),
                    ]);
            }));
            return (bool?)true;
        }, WritePatience) ?? false;

    /// <summary>
    /// The highest totals at a time, highest first. Ranges are merged by the most that their next lead can have, and exact totals decide;
    /// only what can still be among the highest is read. Null: Redis is out of reach, or not all leads are in it.
    /// </summary>
    public Task<List<LiveScore>?> Top(Guid workspaceId, int limit, double minTotal, DateTimeOffset time) => Try(async database =>
    {
        if (!await database.KeyExistsAsync(CompleteKey(workspaceId)))
        {
            return null;
        }

        var ranges = (await database.SetMembersAsync(RangesKey(workspaceId)))
            .Select(range => new RangeReader(database, workspaceId, range!, time)).ToArray();
        await Task.WhenAll(ranges.Select(range => range.Fill()));
        var heads = new PriorityQueue<RangeReader, double>();
        foreach (var range in ranges.Where(range => range.Head is not null))
        {
            heads.Enqueue(range, -range.Head!.Value.Bound);
        }

        var best = new PriorityQueue<LiveScore, double>();
        while (heads.Count > 0)
        {
            // Equal bounds share a batch, so that few round trips read many leads.
            var batch = new List<Guid>();
            while (batch.Count < PageSize && heads.TryPeek(out var range, out var negative)
                && -negative >= minTotal - 0.005 && !(best.Count >= limit && best.TryPeek(out _, out var least) && -negative <= least))
            {
                heads.Dequeue();
                batch.Add(range.Take());
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

            var reads = await Task.WhenAll(batch.Select(id => database.HashGetAsync(LeadKey(workspaceId, id), "d")));
            foreach (var score in reads.Where(value => !value.IsNullOrEmpty).Select(value => LiveScore.Parse(value!)))
            {
                best.Enqueue(score, score.State.TotalAt(time));
                if (best.Count > limit)
                {
                    best.Dequeue();
                }
            }
        }

        return best.UnorderedItems.Select(item => item.Element).ToList();
    });

    /// <summary>Whether all leads of the workspace are in; null: Redis is out of reach.</summary>
    public Task<bool?> IsComplete(Guid workspaceId) =>
        Try(async database => (bool?)await database.KeyExistsAsync(CompleteKey(workspaceId)));

    /// <summary>Begins a restoration. False: Redis is out of reach.</summary>
    public async Task<bool> BeginRestore(Guid workspaceId, string token) =>
        await Try(async database =>
            (bool?)await database.StringSetAsync(RestoreKey(workspaceId, token), token, TimeSpan.FromDays(1))) ?? false;

    /// <summary>Marks the workspace complete. False: Redis is out of reach, or was emptied since the restoration began.</summary>
    public async Task<bool> EndRestore(Guid workspaceId, string token) =>
        await Try(async database => (bool?)((int)await Evaluate(
            database, CompleteScript, [CompleteKey(workspaceId), RestoreKey(workspaceId, token)], [token]) == 1)) ?? false;

    /// <summary>Whether this is not the server process that was last written to: what it holds may be old.</summary>
    public async Task<bool> IsAnother() => await Try(async database =>
        (bool?)(await ServerRun(database) is var run && await database.StringGetAsync(ServerKey) is var known && known != run)) ?? false;

    /// <summary>Everything due has been written to the server that answers now.</summary>
    public Task RememberServer() => Try(async database =>
    {
        var run = await ServerRun(database);
        await database.StringSetAsync(ServerKey, run);
        return run;
    });

    /// <summary>Leads that Redis holds, page by page; null: Redis is out of reach.</summary>
    public Task<List<(string Range, List<Guid> LeadIds)>?> Ranges(Guid workspaceId) => Try(async database =>
    {
        var held = new List<(string, List<Guid>)>();
        foreach (var range in await database.SetMembersAsync(RangesKey(workspaceId)))
        {
            var ids = await database.SortedSetRangeByRankAsync(RangePrefix(workspaceId).Append((string)range!));
            held.Add((range!, ids.Select(id => Guid.ParseExact(id!, "N")).ToList()));
        }

        return held;
    }, WritePatience);

    private async Task<T?> Try<T>(Func<IDatabase, Task<T?>> action, int patience = 1)
    {
        if (redis.Database is not { } database)
        {
            return default;
        }

        try
        {
            return await action(database).WaitAsync(timeout * patience);
        }
        catch (Exception fault) when (fault is RedisException or TimeoutException or ObjectDisposedException)
        {
            redis.Rest();
            LogAway(fault.Message);
            return default;
        }
    }

    /// <summary>The id that a Redis process gives itself at its start.</summary>
    private static async Task<string> ServerRun(IDatabase database)
    {
        var info = (string?)await Evaluate(database, "return redis.call('INFO', 'server')", [], []) ?? "";
        var line = info.Split('\n').FirstOrDefault(line => line.StartsWith("run_id:", StringComparison.Ordinal)) ?? "";
        return line.Trim();
    }

    private static async Task<RedisResult> Evaluate(IDatabase database, string script, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return await database.ScriptEvaluateAsync(script, keys, values);
        }
        catch (RedisServerException fault) when (fault.Message.Contains("NOSCRIPT", StringComparison.Ordinal))
        {
            // The server restarted and forgot the script; the client sends it anew.
            return await database.ScriptEvaluateAsync(script, keys, values);
        }
    }

    private static RedisKey LeadKey(Guid workspaceId, Guid leadId) => $"{{{workspaceId:N}}}:score:{leadId:N}";

    private static RedisKey RangesKey(Guid workspaceId) => $"{{{workspaceId:N}}}:ranges";

    private static RedisKey RangePrefix(Guid workspaceId) => $"{{{workspaceId:N}}}:top:";

    private static RedisKey CompleteKey(Guid workspaceId) => $"{{{workspaceId:N}}}:complete";

    /// <summary>One per restoration: several may run at once, and each completes the workspace.</summary>
    private static RedisKey RestoreKey(Guid workspaceId, string token) => $"{{{workspaceId:N}}}:restore:{token}";

    private static string Script(string name)
    {
        using var stream = typeof(LiveScores).Assembly.GetManifestResourceStream($"Lifecycle.Scoring.Storage.{name}")!;
        return new StreamReader(stream).ReadToEnd();
    }

    [LoggerMessage(4201, LogLevel.Warning, "Redis does not answer, Postgres does: {Reason}")]
    private partial void LogAway(string reason);

    /// <summary>Reads one range from its highest lead down.</summary>
    private sealed class RangeReader(IDatabase database, Guid workspaceId, string range, DateTimeOffset time)
    {
        private readonly Queue<(Guid LeadId, double Bound)> page = new();
        private long read;
        private bool ended;

        public (Guid LeadId, double Bound)? Head => page.TryPeek(out var head) ? head : null;

        public Guid Take() => page.Dequeue().LeadId;

        public async Task Fill()
        {
            if (ended)
            {
                return;
            }

            var entries = await database.SortedSetRangeByRankWithScoresAsync(
                RangePrefix(workspaceId).Append(range), read, read + PageSize - 1, Order.Descending);
            (read, ended) = (read + entries.Length, entries.Length < PageSize);
            foreach (var entry in entries)
            {
                page.Enqueue((Guid.ParseExact(entry.Element!, "N"), LiveScore.Bound(range, entry.Score, time)));
            }
        }
    }
}
