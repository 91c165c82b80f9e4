using Google.Protobuf.WellKnownTypes;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ReadScores;

/// <summary>Domain values as messages.</summary>
internal static class ScoreMessages
{
    public static Score ToProto(LiveScore score, string scoreName, Domain.ScoringModel model, DateTimeOffset now)
    {
        var points = score.State.PointsAt(score.ReadAt(now));
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
            ScoreName = scoreName,
            Hot = (double)points.Total >= model.Thresholds.Hot,
        };
    }
}
