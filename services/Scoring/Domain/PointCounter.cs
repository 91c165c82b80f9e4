namespace Lifecycle.Scoring.Domain;

/// <summary>
/// Gives the points of a model's rules for one activity after another, within the rules' limits. It holds all that later activities need to
/// know of earlier ones.
/// </summary>
internal sealed class PointCounter(ScoringModel model)
{
    private readonly decimal[] fromProfile = new decimal[4];
    private readonly ScoreAccumulator gained = new();
    private readonly RuleMeter?[] meters = new RuleMeter?[model.Rules.Count];

    public ScoringModel Model => model;

    /// <summary>Takes points for the profile into account; all of them come before the first activity.</summary>
    public void CountProfile(Contribution contribution) => fromProfile[(int)contribution.Category] += contribution.Points;

    /// <summary>Adds what the source's activity gives to <paramref name="given"/>. Activities come in order.</summary>
    public void Count(ActivitySource source, bool withWords, List<Contribution> given)
    {
        var activity = source.Activity;
        foreach (var (index, isCertain) in model.Matcher.Of(activity))
        {
            var rule = model.Rules[index];
            if (!isCertain && !rule.Condition.Holds(source, activity.Time))
            {
                continue;
            }

            var meter = meters[index] ??= new RuleMeter(rule);
            if (!meter.MayGive(activity.Time) || (rule.OncePer is { } occasion && !meter.IsFirst(occasion.Key(source), activity.Time)))
            {
                continue;
            }

            var points = WithinCategory(rule, meter.Room(activity.Time), activity.Time);
            if (points != 0)
            {
                meter.Give(points, activity.Time);
                Gain(rule, activity.Id, points, activity.Time, rule.EndOf(activity.Time), withWords ? Evidence.Of(activity) : null, given);
            }
        }
    }

    /// <summary>Adds what a timed rule gives that begins to hold; it comes in order with the activities.</summary>
    public void Hold(Holding holding, List<Contribution> given)
    {
        var rule = holding.Rule;
        var capped = rule.Cap is { } most ? Math.Clamp(rule.Points, -most, most) : rule.Points;
        var points = WithinCategory(rule, capped, holding.Start);
        var end = rule.EndOf(holding.Start) is { } expires && !(holding.End < expires) ? expires : holding.End;
        if (points != 0)
        {
            Gain(rule, Guid.Empty, points, holding.Start, end, holding.Detail, given);
        }
    }

    private decimal WithinCategory(ScoringRule rule, decimal points, DateTimeOffset time)
    {
        if (points <= 0 || model.Definition.CategoryCaps[rule.Category] is not { } cap)
        {
            return points;
        }

        var used = (double)fromProfile[(int)rule.Category] + gained.ValueAt(rule.Category, time);
        return cap - used >= (double)points ? points : Math.Min(points, Scorer.Floor(Math.Max(0, cap - used)));
    }

    private void Gain(
        ScoringRule rule, Guid activityId, decimal points, DateTimeOffset time, DateTimeOffset? end, string? detail,
        List<Contribution> given)
    {
        // A rule over counts holds or does not: nothing of it stays when it holds no more, but a floor.
        var contribution = new Contribution(
            rule.Id, rule.Category, activityId, points, time, rule.HalfLife, detail, rule.FloorOf(points), end);
        gained.Add(contribution);
        given.Add(contribution);
    }
}
