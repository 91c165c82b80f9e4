using System.Collections.Concurrent;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Live;

/// <summary>
/// Brings scores from Postgres to Redis: changed ones at once, all of a workspace when Redis was emptied or came back as another. What
/// Redis has not got is what changed since the snapshot that it names itself, so that nothing is kept of it in Postgres and no row waits.
/// Replicas may write the same twice, which changes nothing: a version never replaces a later one.
/// </summary>
public sealed partial class LiveProjector(
    UnitOfWork<ScoringDbContext> work,
    LiveScores live,
    RedisConnection redis,
    ScoringTelemetry telemetry,
    IOptions<ScoringOptions> options,
    TimeProvider time,
    ILogger<LiveProjector> logger) : BackgroundService
{
    private const int BatchSize = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<Guid, byte> changed = new();
    private readonly ConcurrentDictionary<Guid, byte> lost = new();
    private readonly SemaphoreSlim wake = new(0, 1);
    private volatile bool sweep = true;
    private volatile bool reconnected;

    /// <summary>Scores of the workspace changed.</summary>
    public void Changed(Guid workspaceId)
    {
        changed[workspaceId] = 0;
        Wake();
    }

    /// <summary>Redis lacks scores of the workspace.</summary>
    public void Lost(Guid workspaceId)
    {
        lost[workspaceId] = 0;
        Wake();
    }

    /// <summary>Changes may have passed unseen: look everywhere.</summary>
    public void Sweep()
    {
        sweep = true;
        Wake();
    }

    /// <summary>Writes every score of the workspace to Redis and takes out what no lead stands for. Null: Redis is out of reach.</summary>
    public async Task<(long Written, long Removed)?> Restore(Guid workspaceId, CancellationToken ct)
    {
        var token = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        if (!await live.BeginRestore(workspaceId, token))
        {
            return null;
        }

        var (written, removed) = (0L, 0L);
        await work.Run(workspaceId, ChangeStore.ForgetOtherServer, ct);
        var (mark, names) = await work.Read(workspaceId, async tx => (await ChangeStore.Mark(tx), await LiveStore.Names(tx)), ct);
        foreach (var scoreName in names)
        {
            var (ofScore, last) = (0L, Guid.Empty);
            for (var more = true; more;)
            {
                var after = last;
                if (await Overwrite(workspaceId, scoreName, after, ct) is not { } page)
                {
                    return null;
                }

                ofScore += page.Count(row => row.State is not null);
                more = page.Count == BatchSize;
                last = more ? page[^1].LeadId : last;
            }

            // As many stand in the ranges as were written to them: nothing else does.
            var gone = await live.Count(workspaceId, scoreName) == ofScore ? 0 : await RemoveOrphans(workspaceId, scoreName, ct);
            if (gone is null)
            {
                return null;
            }

            (written, removed) = (written + ofScore, removed + gone.Value);
        }

        return await live.EndRestore(workspaceId, token, mark.Text) ? (written, removed) : null;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        redis.Connected += () =>
        {
            reconnected = true;
            Wake();
        };
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // Whatever changes is announced; a look everywhere now and then is for what nobody thought of.
                sweep |= !await wake.WaitAsync(TimeSpan.FromSeconds(options.Value.SweepSeconds), stoppingToken);
                await Round(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // Whatever it was, the process lives on: the rows still say what is to be written.
                LogFailed(fault.GetBaseException().Message);
                sweep = true;
                await Task.Delay(Pause, time, stoppingToken);
                Wake();
            }
        }
    }

    private async Task Round(CancellationToken ct)
    {
        if (redis.Database is null)
        {
            // Nothing is forgotten meanwhile: the rows say what Redis has not got.
            throw new TimeoutException("Redis is out of reach.");
        }

        var another = reconnected;
        reconnected = false;
        if (another && await live.IsAnother())
        {
            LogAnother();
            await work.ForEachWorkspace((workspaceId, _) =>
            {
                lost[workspaceId] = 0;
                return Task.CompletedTask;
            }, ct);
        }

        if (sweep)
        {
            sweep = false;
            await work.ForEachWorkspace(Project, ct);
        }

        foreach (var workspaceId in changed.Keys)
        {
            changed.TryRemove(workspaceId, out _);
            await Project(workspaceId, ct);
        }

        foreach (var workspaceId in lost.Keys)
        {
            lost.TryRemove(workspaceId, out _);
            if (await Restore(workspaceId, ct) is not { } done)
            {
                lost[workspaceId] = 0;
                reconnected |= another;
                throw new TimeoutException("Redis was lost or emptied while scores were restored.");
            }

            LogRestored(workspaceId, done.Written, done.Removed);
        }

        if (another)
        {
            await live.RememberServer();
        }
    }

    /// <summary>Writes what changed since the snapshot that Redis names.</summary>
    private async Task Project(Guid workspaceId, CancellationToken ct)
    {
        var known = await live.Mark(workspaceId) ?? throw new TimeoutException("Redis is out of reach.");
        var (mark, names) = await work.Read(workspaceId, async tx => (await ChangeStore.Mark(tx), await LiveStore.Names(tx)), ct);
        if (ChangeMark.Parse(known) is not { } since || since.Next > mark.Next)
        {
            // Redis is empty, or Postgres is another than the one that it knew.
            lost[workspaceId] = 0;
            return;
        }

        foreach (var scoreName in names)
        {
            LiveRow? last = null;
            for (var more = true; more;)
            {
                var after = last;
                (var rows, more) = await work.Read(workspaceId, tx => ChangeStore.After(tx, scoreName, since, after, BatchSize), ct);
                if (rows.Count > 0 && !await live.Write(workspaceId, scoreName, Entries(rows), force: false))
                {
                    throw new TimeoutException("Redis is out of reach.");
                }

                telemetry.Projected(rows.Count);
                last = more ? rows[^1] : last;
            }
        }

        // Another replica was faster: what it did not see is looked for again.
        if (await live.Advance(workspaceId, known, mark.Text) == false)
        {
            Changed(workspaceId);
        }
    }

    /// <summary>
    /// Writes a page of all scores, whatever Redis has of them. No row is locked: a later version that was overwritten had been committed
    /// before, so that it is seen afterwards, and written again. Null: Redis is out of reach.
    /// </summary>
    private async Task<List<LiveRow>?> Overwrite(Guid workspaceId, string scoreName, Guid after, CancellationToken ct)
    {
        var page = await work.Read(
            workspaceId,
            tx => LiveStore.Select(tx, scoreName, "lead_id > @after order by lead_id limit @BatchSize", new { after, BatchSize }), ct);
        if (page.Count == 0)
        {
            return page;
        }

        if (!await live.Write(workspaceId, scoreName, Entries(page), force: true))
        {
            return null;
        }

        var written = new { ids = page.Select(row => row.LeadId).ToArray(), versions = page.Select(row => row.Version).ToArray() };
        var later = await work.Read(
            workspaceId,
            tx => LiveStore.Select(
                tx, scoreName,
                "lead_id = any(@ids) and (lead_id, version) not in (select id, written from unnest(@ids, @versions) w (id, written))",
                written),
            ct);
        telemetry.Projected(page.Count);
        return later.Count == 0 || await live.Write(workspaceId, scoreName, Entries(later), force: false) ? page : null;
    }

    private static (Guid LeadId, long Version, LiveScore? Score)[] Entries(IEnumerable<LiveRow> rows) =>
        rows.Select(row => (row.LeadId, row.Version, row.ToScore())).ToArray();

    /// <summary>Takes out of the ranges what no lead stands for, or another range holds. Whoever is taken out stands behind what is read
    /// next, so that the page begins where this one did, less what went.</summary>
    private async Task<long?> RemoveOrphans(Guid workspaceId, string scoreName, CancellationToken ct)
    {
        var removed = 0L;
        if (await live.Ranges(workspaceId, scoreName) is not { } ranges)
        {
            return null;
        }

        foreach (var range in ranges)
        {
            for (var at = 0L; ;)
            {
                if (await live.RangeLeads(workspaceId, scoreName, range, at, BatchSize) is not { } ids)
                {
                    return null;
                }

                if (ids.Count == 0)
                {
                    break;
                }

                var known = await work.Read(workspaceId, tx => LiveStore.Known(tx, scoreName, ids), ct);
                var orphans = ids.Where(id => !known.Contains(id)).Select(id => (id, 0L, (LiveScore?)null)).ToArray();
                if ((orphans.Length > 0 && !await live.Write(workspaceId, scoreName, orphans, force: true))
                    || await live.Tidy(workspaceId, scoreName, range, ids) is not { } moved)
                {
                    return null;
                }

                removed += Math.Max(orphans.Length, moved);
                at += Math.Max(0, ids.Count - Math.Max(orphans.Length, moved));
            }
        }

        return removed;
    }

    private void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is about to look anyway.
        }
    }

    [LoggerMessage(4221, LogLevel.Warning, "Live scores could not be written, next try in a second: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(4222, LogLevel.Information, "Live scores of workspace {WorkspaceId} restored: {Written} written, {Removed} removed")]
    private partial void LogRestored(Guid workspaceId, long written, long removed);

    [LoggerMessage(4223, LogLevel.Information, "Redis was restarted or replaced; live scores are restored")]
    private partial void LogAnother();
}
