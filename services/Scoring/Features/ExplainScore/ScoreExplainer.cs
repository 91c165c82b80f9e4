using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;
using Contribution = Lifecycle.Scoring.V1.Contribution;
using ScoringModel = Lifecycle.Scoring.Domain.ScoringModel;

namespace Lifecycle.Scoring.Features.ExplainScore;

/// <summary>Tells what a score is made of, from the ledger. The decayed points sum to the score to the last digit.</summary>
public sealed class ScoreExplainer(UnitOfWork<ScoringDbContext> work, ModelStore models, ScoreKeeper keeper, TimeProvider time)
{
    public Task<Result<ExplainScoreResponse>> Explain(Guid workspaceId, string scoreName, Guid leadId, CancellationToken ct) =>
        work.Read<Result<ExplainScoreResponse>>(workspaceId, async tx =>
        {
            var now = time.GetUtcNow();
            var id = await LeadStore.Living(tx, leadId);
            var row = (await LiveStore.Select(tx, scoreName, "lead_id = @id", new { id })).SingleOrDefault();
            if (row?.ToScore() is not { } score)
            {
                return Error.NotFound("Lead", leadId);
            }

            if (score.Until <= now)
            {
                // Points began or ended since: the ledger says so when the timer has come by.
                var lead = (await LeadStore.Select(tx, "lead_id = @id", new { id })).Single();
                if (await keeper.Compute(tx, lead, scoreName, score.ModelVersion, now) is { } computed)
                {
                    return Explanation(
                        score with { State = computed.Sheet.State }, scoreName, computed.Sheet.Contributions, computed.Model.Model, now);
                }
            }

            var model = (await models.Find(tx, scoreName, row.ModelVersion) ?? StoredModel.BuiltIn).Model;
            return Explanation(score, scoreName, (await LedgerStore.Read(tx, [id]))[(id, scoreName)].ToArray(), model, now);
        }, ct);

    internal static ExplainScoreResponse Explanation(
        LiveScore score, string scoreName, IReadOnlyList<Domain.Contribution> ledger, ScoringModel model, DateTimeOffset now)
    {
        var at = score.ReadAt(now);
        var points = score.State.PointsAt(at);
        var response = new ExplainScoreResponse { Score = ScoreMessages.ToProto(score, scoreName, model, now) };
        var explained = new[] { (Category.Fit, points.Fit), (Category.Behavior, points.Behavior), (Category.Bant, points.Bant) }
            .SelectMany(part => Explained(
                ledger.Where(entry => entry.Category == part.Item1).ToArray(), part.Item2, model, score.ModelVersion, at));
        response.Contributions.AddRange(
            explained.OrderByDescending(entry => Math.Abs(entry.DecayedPoints)).ThenByDescending(entry => entry.Time));
        return response;
    }

    private static IEnumerable<Contribution> Explained(
        IReadOnlyList<Domain.Contribution> entries, decimal total, ScoringModel model, int version, DateTimeOffset now)
    {
        var decayed = ScorePoints.Split(total, entries.Select(entry => entry.ValueAt(now)).ToArray());
        return entries.Zip(decayed, (entry, left) =>
        {
            var name = model.RuleName(entry.RuleId);
            var contribution = new Contribution
            {
                RuleId = entry.RuleId,
                RuleName = name,
                Category = (V1.ScoringModel.Types.Category)entry.Category,
                Points = (double)entry.Points,
                DecayedPoints = (double)left,
                Evidence = Evidence.Text(name, entry),
                Time = Timestamp.FromDateTimeOffset(entry.Time),
                ModelVersion = version,
            };
            contribution.ActivityId = entry.IsOfProfile || entry.IsAdjustment ? "" : entry.ActivityId.ToString();
            contribution.AdjustmentId = entry.IsAdjustment ? entry.ActivityId.ToString() : "";
            contribution.EndTime = entry.End is { } end ? Timestamp.FromDateTimeOffset(end) : null;
            return contribution;
        });
    }
}
