using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.AdjustScore;

/// <summary>Adds points by hand and takes them back. Both stand in the ledger, and every scoring anew counts them again.</summary>
public sealed class ScoreAdjuster(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper, ModelStore models)
{
    private const int MaxPerLead = 1_000;
    private const int MaxReason = 500;

    public async Task<Result<AdjustScoreResponse>> Adjust(
        Guid workspaceId, Guid leadId, string scoreName, string actor, AdjustScoreRequest request, CancellationToken ct)
    {
        var (draft, fault) = Draft(scoreName, actor, request);
        return fault
            ?? await work.RunIdempotent<AdjustScoreResponse>(workspaceId, "scoring.AdjustScore", request.RequestId, request, async tx =>
            {
                if ((await keeper.Models(tx)).Find(scoreName) is null)
                {
                    return Error.NotFound("Score", scoreName);
                }

                if (await Known(tx, leadId) is not { } row)
                {
                    return Error.NotFound("Lead", leadId);
                }

                if (row.Adjustments >= MaxPerLead)
                {
                    return Error.Precondition($"The lead has {MaxPerLead} adjustments; more are not kept.");
                }

                (draft.AdjustmentId, draft.LeadId, draft.CreateTime) = (tx.NewId(), row.LeadId, tx.Now);
                row.Adjustments++;
                await AdjustmentStore.Add(tx, draft);
                await keeper.Score(tx, [row], _ => tx.Now);
                return await Answer(tx, draft);
            }, ct);
    }

    public Task<Result<AdjustScoreResponse>> Undo(
        Guid workspaceId, Guid leadId, Guid adjustmentId, string actor, CancellationToken ct) =>
        work.Run<AdjustScoreResponse>(workspaceId, async tx =>
        {
            if (await Known(tx, leadId) is not { } row
                || (await Find(tx, row, adjustmentId)) is null)
            {
                return Error.NotFound("Adjustment", adjustmentId);
            }

            await AdjustmentStore.Undo(tx, adjustmentId, actor);
            await keeper.Score(tx, [row], _ => tx.Now);
            return await Answer(tx, (await Find(tx, row, adjustmentId))!);
        }, ct);

    public Task<Result<ListScoreAdjustmentsResponse>> List(Guid workspaceId, Guid leadId, CancellationToken ct) =>
        work.Read<Result<ListScoreAdjustmentsResponse>>(workspaceId, async tx =>
        {
            var id = await LeadStore.Living(tx, leadId);
            var lead = await LeadStore.Select(tx, "lead_id = @id and state is not null", new { id });
            if (lead.Count == 0)
            {
                return Error.NotFound("Lead", leadId);
            }

            var rows = await AdjustmentStore.Select(
                tx, "lead_id = @id order by create_time desc, adjustment_id desc limit @MaxPerLead", new { id, MaxPerLead });
            return new ListScoreAdjustmentsResponse { Adjustments = { rows.Select(ToProto) } };
        }, ct);

    /// <summary>
    /// The lead's locked row; a merged lead stands for the one it lives on as. Null: nothing is known of it, or it was erased.
    /// </summary>
    private static async Task<LeadRow?> Known(Transaction<ScoringDbContext> tx, Guid leadId)
    {
        if ((await LeadStore.Select(tx, "lead_id = @leadId", new { leadId })).Count == 0)
        {
            return null;
        }

        var row = (await LeadStore.Lock(tx, [leadId]))[leadId];
        return row.State is null ? null : row;
    }

    private static async Task<AdjustmentRow?> Find(Transaction<ScoringDbContext> tx, LeadRow lead, Guid id) =>
        (await AdjustmentStore.Select(tx, "adjustment_id = @id and lead_id = @LeadId", new { id, lead.LeadId })).SingleOrDefault();

    private static (AdjustmentRow Row, Error? Fault) Draft(string scoreName, string actor, AdjustScoreRequest request)
    {
        var violations = new Violations();
        violations.Require(
            double.IsFinite(request.Points) && request.Points != 0 && Math.Abs(request.Points) <= ModelCompiler.MaxPoints
                && Math.Abs(Math.Round(request.Points, 2) - request.Points) < 1e-9,
            "points",
            $"points lies between -{ModelCompiler.MaxPoints} and {ModelCompiler.MaxPoints}, with at most two decimals, and is not 0.");
        violations.RequireText(request.Reason, "reason", MaxReason);
        var category = request.Category == 0 ? Category.Behavior : (Category)request.Category;
        violations.Require(System.Enum.IsDefined(category), "category", "category must be FIT, BEHAVIOR or BANT.");
        var halfLife = Span(request.HalfLife, "halfLife", violations);
        violations.Require(
            halfLife is null || ModelCompiler.IsHalfLife(halfLife.Value), "halfLife", "A half-life is 1h at least and 3650d at most.");
        var expire = Span(request.ExpireAfter, "expireAfter", violations);
        return (
            new()
            {
                ScoreName = scoreName,
                Category = category,
                Points = double.IsFinite(request.Points) && Math.Abs(request.Points) <= ModelCompiler.MaxPoints
                    ? (decimal)request.Points
                    : 0,
                Reason = StoredText.Clean(request.Reason),
                Actor = actor,
                HalfLifeSeconds = halfLife?.TotalSeconds,
                ExpireSeconds = expire?.TotalSeconds,
            },
            violations.ToError());
    }

    private static TimeSpan? Span(string text, string field, Violations violations) =>
        text.Length > 0 && violations.Require(
            Literals.TryDuration(text, out var span), field, $"'{text}' is no duration such as 30d, 12h or 90m.") ? span : null;

    private async Task<AdjustScoreResponse> Answer(Transaction<ScoringDbContext> tx, AdjustmentRow adjustment)
    {
        await tx.Flush();
        var row = (await LiveStore.Select(tx, adjustment.ScoreName, "lead_id = @LeadId", new { adjustment.LeadId })).SingleOrDefault();
        var response = new AdjustScoreResponse { Adjustment = ToProto(adjustment) };
        if (row?.ToScore() is { } score && await models.Find(tx, adjustment.ScoreName, score.ModelVersion) is { } stored)
        {
            response.Score = ScoreMessages.ToProto(score, adjustment.ScoreName, stored.Model, tx.Now);
        }

        return response;
    }

    private static ScoreAdjustment ToProto(AdjustmentRow row) => new()
    {
        Id = row.AdjustmentId.ToString(),
        LeadId = row.LeadId.ToString(),
        ScoreName = row.ScoreName,
        Category = (V1.ScoringModel.Types.Category)row.Category,
        Points = (double)row.Points,
        Reason = row.Reason,
        Actor = row.Actor,
        CreateTime = Timestamp.FromDateTimeOffset(row.CreateTime),
        HalfLife = row.HalfLifeSeconds is { } halfLife ? Literals.Text(TimeSpan.FromSeconds(halfLife)) : "",
        ExpireAfter = row.ExpireSeconds is { } expire ? Literals.Text(TimeSpan.FromSeconds(expire)) : "",
        UndoTime = row.UndoTime is { } undone ? Timestamp.FromDateTimeOffset(undone) : null,
        UndoActor = row.UndoActor ?? "",
    };
}
