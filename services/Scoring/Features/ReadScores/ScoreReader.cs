using Lifecycle.Postgres;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ReadScores;

/// <summary>Reads scores from Redis, and from Postgres what Redis has not got; the answers are the same. A score whose points began or
/// ended since it was made, by time passing alone, is computed for the moment.</summary>
public sealed class ScoreReader(
    UnitOfWork<ScoringDbContext> work, LiveScores live, LiveProjector projector, ModelStore models,
    ScoreKeeper keeper, ScoreSettler settler, ScoringTelemetry telemetry, TimeProvider time)
{
    /// <summary>Most leads that a ranking brings over a change that was due; the timer does the rest.</summary>
    private const int MaxSettled = 1_000;

    /// <summary>
    /// Scores of leads by the id asked for, which of a merged lead stands for the one it lives on as; unknown ones are absent.
    /// </summary>
    public async Task<IReadOnlyDictionary<Guid, Score>> Read(
        Guid workspaceId, string scoreName, IReadOnlyList<Guid> leadIds, CancellationToken ct)
    {
        var cached = await live.Read(workspaceId, scoreName, leadIds);
        var found = (cached ?? []).OfType<LiveScore>().ToList();
        if (found.Count < leadIds.Count)
        {
            var known = found.Select(score => score.LeadId).ToHashSet();
            var stored = await Stored(workspaceId, scoreName, leadIds.Where(id => !known.Contains(id)).ToArray(), ct);
            found.AddRange(stored);
            telemetry.FellBack(stored.Count);
            if (cached is not null && stored.Count > 0)
            {
                await Heal(workspaceId, scoreName, stored);
            }
        }

        var scores = (await Present(workspaceId, scoreName, found, ct)).ToDictionary(score => Guid.Parse(score.LeadId));
        var missing = leadIds.Where(id => !scores.ContainsKey(id)).ToArray();
        if (missing.Length > 0 && await work.Read(workspaceId, tx => LeadStore.Successors(tx, missing), ct) is { Count: > 0 } successors)
        {
            var living = await Read(workspaceId, scoreName, [.. successors.Values.Distinct()], ct);
            foreach (var (merged, target) in successors.Where(pair => living.ContainsKey(pair.Value)))
            {
                scores[merged] = living[target];
            }
        }

        return scores;
    }

    /// <summary>Whether the workspace has a score of that name.</summary>
    public async Task<bool> Has(Guid workspaceId, string scoreName, CancellationToken ct) =>
        scoreName == ModelStore.DefaultScore || (await work.Read(workspaceId, models.InForce, ct)).Find(scoreName) is not null;

    /// <summary>Rows of scores as the API tells them.</summary>
    public Task<List<Score>> Present(Guid workspaceId, string scoreName, IEnumerable<LiveRow> rows, CancellationToken ct) =>
        Present(workspaceId, scoreName, rows.Select(row => row.ToScore()).OfType<LiveScore>().ToArray(), ct);

    /// <summary>The highest scores, highest first.</summary>
    public async Task<IReadOnlyList<Score>> Top(Guid workspaceId, string scoreName, int limit, double minTotal, CancellationToken ct)
    {
        var settled = await live.IsTimed(workspaceId) == false ? [] : await settler.Settle(workspaceId, MaxSettled, wait: true, ct);
        var now = time.GetUtcNow();
        var best = await live.Top(workspaceId, scoreName, limit, minTotal, now, settled);
        if (best is null)
        {
            projector.Lost(workspaceId);
            best = await work.Read(
                workspaceId,
                async tx => (await LiveStore.Select(
                        tx, scoreName, $"state is not null order by {TotalSql.Now} desc, lead_id limit @limit", new { limit, now }))
                    .Select(row => row.ToScore()).OfType<LiveScore>().ToList(),
                ct);
        }
        else if (settled.Count > 0)
        {
            best.AddRange(await Stored(workspaceId, scoreName, [.. settled], ct));
        }

        return (await Present(workspaceId, scoreName, best, ct)).Where(score => score.Total >= minTotal)
            .OrderByDescending(score => score.Total).ThenBy(score => score.LeadId, StringComparer.Ordinal).Take(limit).ToArray();
    }

    private Task<List<LiveScore>> Stored(Guid workspaceId, string scoreName, Guid[] leadIds, CancellationToken ct) => work.Read(
        workspaceId,
        async tx => (await LiveStore.Select(tx, scoreName, "lead_id = any(@leadIds)", new { leadIds })).Select(row => row.ToScore())
            .OfType<LiveScore>().ToList(),
        ct);

    /// <summary>Gives Redis what it lacked; when it lacks more, it was emptied, and gets everything.</summary>
    private async Task Heal(Guid workspaceId, string scoreName, List<LiveScore> scores)
    {
        await live.Write(
            workspaceId, scoreName, scores.Select(score => (score.LeadId, score.Version, (LiveScore?)score)).ToArray(), force: false);
        if (await live.IsComplete(workspaceId) == false)
        {
            projector.Lost(workspaceId);
        }
    }

    /// <summary>Scores as the API tells them, at this moment. Bands and grades are those of the model that gave the points.</summary>
    private async Task<List<Score>> Present(
        Guid workspaceId, string scoreName, IReadOnlyCollection<LiveScore> scores, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (scores.Any(score => score.Until <= now || models.Cached(workspaceId, scoreName, score.ModelVersion) is null))
        {
            scores = await work.Read(workspaceId, async tx =>
            {
                foreach (var version in scores.Select(score => score.ModelVersion).Distinct())
                {
                    await models.Find(tx, scoreName, version);
                }

                var fresh = await Fresh(tx, scoreName, scores.Where(score => score.Until <= now).ToArray(), now);
                return scores.Select(score => fresh.GetValueOrDefault(score.LeadId, score)).ToArray();
            }, ct);
        }

        return scores.Select(score => ScoreMessages.ToProto(
            score, scoreName, (models.Cached(workspaceId, scoreName, score.ModelVersion) ?? StoredModel.BuiltIn).Model, now)).ToList();
    }

    /// <summary>Scores whose sums hold no more, computed from the facts.</summary>
    private async Task<Dictionary<Guid, LiveScore>> Fresh(
        Transaction<ScoringDbContext> tx, string scoreName, LiveScore[] scores, DateTimeOffset now)
    {
        var fresh = new Dictionary<Guid, LiveScore>();
        if (scores.Length == 0)
        {
            return fresh;
        }

        var rows = await LeadStore.Select(tx, "lead_id = any(@ids)", new { ids = scores.Select(score => score.LeadId).ToArray() });
        foreach (var (score, row) in scores.Join(rows, score => score.LeadId, row => row.LeadId, (score, row) => (score, row)))
        {
            if (await keeper.Compute(tx, row, scoreName, score.ModelVersion, now) is { } computed)
            {
                fresh[score.LeadId] = score with { State = computed.Sheet.State, Until = computed.Sheet.NextChange };
            }
        }

        return fresh;
    }
}
