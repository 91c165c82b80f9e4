using System.Globalization;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Lifecycle.Scoring.Live;

/// <summary>
/// Live scores in Redis: quick to read, and nobody's truth. Every method answers null or false, soon, when Redis is out of reach. Per
/// workspace and score there are blocks of leads, a sorted set per range (see <see cref="LiveScore.Place"/>), and the set of ranges; per
/// workspace a mark that all leads are in, which names the snapshot of Postgres as of which they are. It is kept, lost and brought back
/// with them, so that it never tells of more than is there.
/// </summary>
public sealed partial class LiveScores(RedisConnection redis, IOptions<ScoringOptions> options, ILogger<LiveScores> logger)
{
    /// <summary>Nobody waits for what is written or restored in the background.</summary>
    private const int WritePatience = 10;

    /// <summary>Leads that one run of the script writes: readers wait for no more.</summary>
    private const int LeadsPerScript = 50;
    private static readonly string SetScript = Script("score.lua");
    private static readonly string TidyScript = Script("tidy.lua");
    private static readonly string CompleteScript = Script("complete.lua");
    private static readonly string AdvanceScript = Script("advance.lua");
    private const string ServerKey = "lifecycle:scoring:server";
    private const string AnyScore = "";
    private readonly TimeSpan timeout = TimeSpan.FromMilliseconds(options.Value.RedisTimeoutMilliseconds);

    /// <summary>Live scores of leads; an element is null where Redis has none. Null: Redis is out of reach.</summary>
    public Task<LiveScore?[]?> Read(Guid workspaceId, string scoreName, IReadOnlyList<Guid> leadIds) => Try(async database =>
    {
        var keys = new LiveKeys(workspaceId, scoreName);
        var reads = await Task.WhenAll(leadIds.Select(id => database.HashGetAsync(keys.Block(id), LiveKeys.Id(id))));
        return reads.Zip(leadIds, (value, id) => LiveKeys.Parse(id, value)).ToArray();
    });

    /// <summary>Writes scores, or with a null score takes the lead out. False: Redis is out of reach, and any part may have been
    /// written.</summary>
    /// <param name="workspaceId">Workspace.</param>
    /// <param name="scoreName">Which score.</param>
    /// <param name="entries">Lead, version, score.</param>
    /// <param name="force">Whatever version is there; else only newer ones.</param>
    public async Task<bool> Write(
        Guid workspaceId, string scoreName, IReadOnlyCollection<(Guid LeadId, long Version, LiveScore? Score)> entries, bool force) =>
        await Try(async database =>
        {
            var keys = new LiveKeys(workspaceId, scoreName);
            if (entries.Any(entry => entry.Score?.Until is not null))
            {
                await database.StringSetAsync(keys.Timed, "1");
            }

            await Task.WhenAll(entries.Chunk(LeadsPerScript).Select(chunk =>
            {
                var values = new List<RedisValue>(1 + (5 * chunk.Length)) { force ? "1" : "0" };
                foreach (var entry in chunk)
                {
                    var (range, rank) = entry.Score?.Place() ?? ("", 0);
                    values.AddRange(
                        [
                            entry.Version, entry.Score is null ? "" : LiveScoreBytes.Write(entry.Score), LiveKeys.Id(entry.LeadId), range,
                            rank.ToString("R", CultureInfo.InvariantCulture),
                        ]);
                }

                return Evaluate(
                    database, SetScript, [keys.Ranges, keys.RangePrefix, .. chunk.Select(entry => keys.Block(entry.LeadId))], [.. values]);
            }));
            return (bool?)true;
        }, WritePatience) ?? false;

    /// <summary>The highest totals at a time, in no order. Null: Redis is out of reach, or not all leads are in it.</summary>
    /// <param name="workspaceId">Workspace.</param>
    /// <param name="scoreName">Which score.</param>
    /// <param name="limit">How many.</param>
    /// <param name="minTotal">Lower totals may be left out.</param>
    /// <param name="time">When.</param>
    /// <param name="except">Leads that are left out, as their scores are known otherwise.</param>
    public Task<List<LiveScore>?> Top(
        Guid workspaceId, string scoreName, int limit, double minTotal, DateTimeOffset time, IReadOnlySet<Guid> except) =>
        Try(async database =>
        {
            var keys = new LiveKeys(workspaceId, scoreName);
            return await new LiveRanking(database, keys, except).Top(limit, minTotal, time);
        });

    /// <summary>Whether some score of the workspace has points that begin or end by themselves; null: Redis is out of reach.</summary>
    public Task<bool?> IsTimed(Guid workspaceId) =>
        Try(async database => (bool?)await database.KeyExistsAsync(new LiveKeys(workspaceId, AnyScore).Timed));

    /// <summary>Whether all leads of the workspace are in; null: Redis is out of reach.</summary>
    public Task<bool?> IsComplete(Guid workspaceId) =>
        Try(async database => (bool?)await database.KeyExistsAsync(new LiveKeys(workspaceId, AnyScore).Complete));

    /// <summary>Begins a restoration. False: Redis is out of reach.</summary>
    public async Task<bool> BeginRestore(Guid workspaceId, string token) =>
        await Try(async database => (bool?)await database.StringSetAsync(
            new LiveKeys(workspaceId, AnyScore).Restore(token), token, TimeSpan.FromDays(1))) ?? false;

    /// <summary>Marks the workspace complete as of a snapshot. False: Redis is out of reach, or was emptied since the restoration
    /// began.</summary>
    public async Task<bool> EndRestore(Guid workspaceId, string token, string snapshot)
    {
        var keys = new LiveKeys(workspaceId, AnyScore);
        return await Try(async database => (bool?)((int)await Evaluate(
            database, CompleteScript, [keys.Complete, keys.Restore(token)], [token, snapshot]) == 1)) ?? false;
    }

    /// <summary>The snapshot as of which Redis has all scores of the workspace; empty: it has not. Null: Redis is out of reach.</summary>
    public Task<string?> Mark(Guid workspaceId) => Try(async database =>
        (string?)await database.StringGetAsync(new LiveKeys(workspaceId, AnyScore).Complete) ?? "");

    /// <summary>Moves the mark on. False: somebody else moved it, or Redis was emptied. Null: Redis is out of reach.</summary>
    public Task<bool?> Advance(Guid workspaceId, string from, string to) => Try(async database => (bool?)((int)await Evaluate(
        database, AdvanceScript, [new LiveKeys(workspaceId, AnyScore).Complete], [from, to]) == 1));

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

    /// <summary>Names of the ranges that Redis holds of a score; null: Redis is out of reach.</summary>
    public Task<List<string>?> Ranges(Guid workspaceId, string scoreName) => Try(async database =>
        (List<string>?)(await database.SetMembersAsync(new LiveKeys(workspaceId, scoreName).Ranges))
            .Select(range => (string)range!).ToList(),
        WritePatience);

    /// <summary>Entries in all ranges of a score; null: Redis is out of reach.</summary>
    public Task<long?> Count(Guid workspaceId, string scoreName) => Try(async database =>
    {
        var keys = new LiveKeys(workspaceId, scoreName);
        var ranges = await database.SetMembersAsync(keys.Ranges);
        return (long?)(await Task.WhenAll(ranges.Select(range => database.SortedSetLengthAsync(keys.RangePrefix + (string)range!)))).Sum();
    }, WritePatience);

    /// <summary>Leads of a range from a rank on; null: Redis is out of reach.</summary>
    public Task<List<Guid>?> RangeLeads(Guid workspaceId, string scoreName, string range, long from, int count) => Try(async database =>
    {
        var ids = await database.SortedSetRangeByRankAsync(
            new LiveKeys(workspaceId, scoreName).RangePrefix + range, from, from + count - 1);
        return (List<Guid>?)ids.Select(LiveKeys.Lead).OfType<Guid>().ToList();
    }, WritePatience);

    /// <summary>Takes leads out of a range where they do not stand; how many, null: Redis is out of reach.</summary>
    public Task<long?> Tidy(Guid workspaceId, string scoreName, string range, IReadOnlyCollection<Guid> leadIds) => Try(async database =>
    {
        var keys = new LiveKeys(workspaceId, scoreName);
        var results = await Task.WhenAll(leadIds.Select(id => Evaluate(
            database, TidyScript, [keys.Block(id), keys.RangePrefix + range, keys.Ranges], [LiveKeys.Id(id), range])));
        return (long?)results.Sum(result => (long)result);
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

    internal static async Task<RedisResult> Evaluate(IDatabase database, string script, RedisKey[] keys, RedisValue[] values)
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

    internal static string Script(string name)
    {
        using var stream = typeof(LiveScores).Assembly.GetManifestResourceStream($"Lifecycle.Scoring.Storage.{name}")!;
        return new StreamReader(stream).ReadToEnd();
    }

    [LoggerMessage(4201, LogLevel.Warning, "Redis does not answer, Postgres does: {Reason}")]
    private partial void LogAway(string reason);
}
