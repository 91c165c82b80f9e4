using Google.Protobuf.WellKnownTypes;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ReadScores;

/// <summary>Reads scores from Redis, and from Postgres what Redis has not got; the answers are the same.</summary>
public sealed class ScoreReader(
    UnitOfWork<ScoringDbContext> work, LiveScores live, LiveProjector projector, ModelStore models, ScoringTelemetry telemetry,
    TimeProvider time)
{
    /// <summary>Scores of leads by id; unknown ones are absent.</summary>
    public async Task<IReadOnlyDictionary<Guid, Score>> Read(Guid workspaceId, IReadOnlyList<Guid> leadIds, CancellationToken ct)
    {
        var cached = await live.Read(workspaceId, leadIds);
        var found = (cached ?? []).OfType<LiveScore>().ToList();
        if (found.Count < leadIds.Count)
        {
            var known = found.Select(score => score.LeadId).ToHashSet();
            var stored = await Stored(workspaceId, leadIds.Where(id => !known.Contains(id)).ToArray(), ct);
            found.AddRange(stored);
            telemetry.FellBack(stored.Count);
            if (cached is not null && stored.Count > 0)
            {
                await Heal(workspaceId, stored);
            }
        }

        return (await Present(workspaceId, found, ct)).ToDictionary(score => Guid.Parse(score.LeadId));
    }

    /// <summary>Scores from Postgres, which has a change before Redis does.</summary>
    public async Task<IReadOnlyList<Score>> ReadStored(Guid workspaceId, Guid[] leadIds, CancellationToken ct) =>
        await Present(workspaceId, await Stored(workspaceId, leadIds, ct), ct);

    /// <summary>The highest scores, highest first.</summary>
    public async Task<IReadOnlyList<Score>> Top(Guid workspaceId, int limit, double minTotal, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var best = await live.Top(workspaceId, limit, minTotal, now);
        if (best is null)
        {
            projector.Lost(workspaceId);
        }

        best ??= await work.Read(
            workspaceId,
            async tx => (await LeadStore.Select(
                    tx, $"state is not null order by {TotalSql} desc, lead_id limit @limit", new { limit, now }))
                .Select(LiveScore.From).OfType<LiveScore>().ToList(),
            ct);
        return (await Present(workspaceId, best, ct)).Where(score => score.Total >= minTotal)
            .OrderByDescending(score => score.Total).ThenBy(score => score.LeadId, StringComparer.Ordinal).ToArray();
    }

    private Task<List<LiveScore>> Stored(Guid workspaceId, Guid[] leadIds, CancellationToken ct) => work.Read(
        workspaceId,
        async tx => (await LeadStore.Select(tx, "lead_id = any(@leadIds)", new { leadIds })).Select(LiveScore.From)
            .OfType<LiveScore>().ToList(),
        ct);

    /// <summary>Gives Redis what it lacked; when it lacks more, it was emptied, and gets everything.</summary>
    private async Task Heal(Guid workspaceId, List<LiveScore> scores)
    {
        await live.Write(workspaceId, scores.Select(score => (score.LeadId, score.Version, (LiveScore?)score)).ToArray(), force: false);
        if (await live.IsComplete(workspaceId) == false)
        {
            projector.Lost(workspaceId);
        }
    }

    /// <summary>Scores as the API tells them, at this moment. Bands and grades are those of the model that gave the points.</summary>
    private async Task<List<Score>> Present(Guid workspaceId, IReadOnlyCollection<LiveScore> scores, CancellationToken ct)
    {
        if (scores.Any(score => models.Cached(workspaceId, score.ModelVersion) is null))
        {
            await work.Read(workspaceId, async tx =>
            {
                foreach (var version in scores.Select(score => score.ModelVersion).Distinct())
                {
                    await models.Find(tx, version);
                }

                return true;
            }, ct);
        }

        var now = time.GetUtcNow();
        return scores.Select(score => ScoreMessages.ToProto(
            score, (models.Cached(workspaceId, score.ModelVersion) ?? StoredModel.BuiltIn).Model, now)).ToList();
    }

    /// <summary>The total of a row's state, as <see cref="Domain.ScoreState.TotalAt"/> computes it. Reads every lead: for when Redis is
    /// away.</summary>
    private const string TotalSql =
        """
        (select sum((part->>'constant')::float8 + coalesce((
            select sum((bucket->>'points')::float8
                * power(2, -extract(epoch from @now - (state->>'at')::timestamptz)::float8 / (bucket->>'halfLifeSeconds')::float8))
            from jsonb_array_elements(part->'buckets') bucket), 0))
        from unnest(array[state->'fit', state->'behavior', state->'bant']) part)
        """;
}

/// <summary>Domain values as messages.</summary>
internal static class ScoreMessages
{
    public static Score ToProto(LiveScore score, Domain.ScoringModel model, DateTimeOffset now)
    {
        var points = score.State.PointsAt(now);
        return new()
        {
            LeadId = score.LeadId.ToString(),
            Total = (double)points.Total,
            Fit = (double)points.Fit,
            Behavior = (double)points.Behavior,
            Bant = (double)points.Bant,
            Grade = model.Grade(points.Fit),
            Band = model.Band(points.Total),
            AsOf = Timestamp.FromDateTimeOffset(now),
            ModelVersion = score.ModelVersion,
            Qualified = score.Qualified,
            Version = score.Version,
        };
    }
}
