namespace Lifecycle.Scoring.Domain;

/// <summary>
/// Scores a lead: a pure function of model, profile and the set of activities. The order and number of deliveries cannot matter, because
/// activities are put in order of time first.
/// </summary>
/// <remarks>
/// Caps bind when points are given: a rule gives at most what is missing to its cap (of the decayed points, or of the points given within
/// the window) and to the category's cap. So the score stays a plain sum of decaying contributions. Points for the profile count fully
/// towards the category's cap, negative ones first.
/// </remarks>
public static class Scorer
{
    private const int PointDecimals = 4;

    /// <param name="model">The model.</param>
    /// <param name="profile">Null: nothing is known yet.</param>
    /// <param name="since">Since when a profile rule has held, by rule id; else since the lead's creation.</param>
    /// <param name="activities">In any order, without duplicates.</param>
    /// <param name="withWords">Whether contributions tell their evidence; points are the same without.</param>
    public static ScoreSheet Score(
        ScoringModel model, LeadProfile? profile, IReadOnlyDictionary<string, DateTimeOffset> since, IEnumerable<Activity> activities,
        bool withWords = true)
    {
        var contributions = new List<(Contribution Contribution, int Order)>();
        var fromProfile = new decimal[4];
        foreach (var contribution in ProfileContributions(model, profile, since))
        {
            fromProfile[(int)contribution.Category] += contribution.Points;
            contributions.Add((contribution, contributions.Count));
        }

        var gained = new ScoreAccumulator();
        var meters = new RuleMeter?[model.Rules.Count];
        foreach (var activity in InOrder(activities))
        {
            var source = new ActivitySource(activity, profile);
            foreach (var (index, isCertain) in model.Matcher.Of(activity))
            {
                var rule = model.Rules[index];
                if (!isCertain && !rule.Condition.Holds(source, activity.Time))
                {
                    continue;
                }

                var meter = meters[index] ??= new RuleMeter(rule);
                if (rule.OncePer is { } occasion && !meter.IsFirst(occasion.Key(activity, source), activity.Time))
                {
                    continue;
                }

                var points = meter.Room(activity.Time);
                if (points > 0 && model.Definition.CategoryCaps[rule.Category] is { } cap)
                {
                    var used = (double)fromProfile[(int)rule.Category] + gained.ValueAt(rule.Category, activity.Time);
                    points = Math.Min(points, Floor(Math.Max(0, cap - used)));
                }

                if (points == 0)
                {
                    continue;
                }

                meter.Give(points, activity.Time);
                gained.Add(rule.Category, rule.HalfLife, points, activity.Time);
                contributions.Add((
                    new(rule.Id, rule.Category, activity.Id, points, activity.Time, rule.HalfLife, withWords ? Evidence.Of(activity) : null),
                    contributions.Count));
            }
        }

        var ordered = contributions.OrderBy(entry => entry.Contribution.Time).ThenBy(entry => entry.Contribution.ActivityId)
            .ThenBy(entry => entry.Order)
            .Select(entry => entry.Contribution).ToArray();
        return new(ordered, Sum(ordered, profile?.CreateTime));
    }

    /// <summary>Rules that hold for the profile, without caps: since when each has held is remembered by rule.</summary>
    public static IEnumerable<string> ProfileRules(ScoringModel model, LeadProfile profile) =>
        from rule in model.Rules where !rule.ReadsActivity && rule.Condition.Holds(profile, profile.CreateTime) select rule.Id;

    private static List<Activity> InOrder(IEnumerable<Activity> activities)
    {
        var list = activities as List<Activity> ?? [.. activities];
        for (var index = 1; index < list.Count; index++)
        {
            if (Activity.InOrder(list[index - 1], list[index]) > 0)
            {
                list = [.. list];
                list.Sort(Activity.InOrder);
                break;
            }
        }

        return list;
    }

    /// <summary>Sum of contributions in order of time.</summary>
    internal static ScoreState Sum(IReadOnlyList<Contribution> ordered, DateTimeOffset? createTime)
    {
        var sum = new ScoreAccumulator();
        foreach (var contribution in ordered)
        {
            sum.Add(contribution.Category, contribution.HalfLife, contribution.Points, contribution.Time);
        }

        var last = ordered.Count > 0 ? ordered[^1].Time : DateTimeOffset.UnixEpoch;
        return sum.StateAt(createTime is { } created && created > last ? created : last);
    }

    /// <summary>Rounds down to the decimals that the ledger keeps, so that a cap is never passed.</summary>
    internal static decimal Floor(double points) => Math.Round((decimal)points, PointDecimals, MidpointRounding.ToZero);

    private static IEnumerable<Contribution> ProfileContributions(
        ScoringModel model, LeadProfile? profile, IReadOnlyDictionary<string, DateTimeOffset> since)
    {
        if (profile is null)
        {
            yield break;
        }

        var used = new decimal[4];
        foreach (var rule in model.Rules.Where(rule => !rule.ReadsActivity).OrderBy(rule => rule.Points >= 0))
        {
            if (!rule.Condition.Holds(profile, profile.CreateTime))
            {
                continue;
            }

            var points = rule.Cap is { } most ? Math.Clamp(rule.Points, -most, most) : rule.Points;
            if (points > 0 && model.Definition.CategoryCaps[rule.Category] is { } cap)
            {
                points = Math.Min(points, Math.Max(0, (decimal)cap - used[(int)rule.Category]));
            }

            if (points != 0)
            {
                used[(int)rule.Category] += points;
                var time = since.TryGetValue(rule.Id, out var known) && known > profile.CreateTime ? known : profile.CreateTime;
                yield return new(
                    rule.Id, rule.Category, Guid.Empty, points, time, rule.HalfLife, Evidence.Of(profile, rule.Condition.Fields));
            }
        }
    }

    /// <summary>What a rule gave so far, as far as its cap and occasions look back.</summary>
    private sealed class RuleMeter(ScoringRule rule)
    {
        private readonly Dictionary<string, DateTimeOffset> occasions = [];
        private readonly Queue<(DateTimeOffset Time, decimal Points)> given = [];
        private decimal inWindow;
        private double worth;
        private DateTimeOffset worthAt;

        /// <summary>Whether no activity of the same occasion came before, within the window where there is one.</summary>
        public bool IsFirst(string? key, DateTimeOffset time)
        {
            if (key is null || (occasions.TryGetValue(key, out var last) && (rule.Window is null || time - last < rule.Window)))
            {
                return false;
            }

            occasions[key] = time;
            return true;
        }

        /// <summary>The rule's points as far as its cap leaves room.</summary>
        public decimal Room(DateTimeOffset time)
        {
            if (rule.Cap is not { } cap)
            {
                return rule.Points;
            }

            decimal room;
            if (rule.Window is { } window)
            {
                while (given.TryPeek(out var first) && time - first.Time >= window)
                {
                    inWindow -= given.Dequeue().Points;
                }

                room = cap - inWindow;
            }
            else
            {
                room = Floor(Math.Max(0, (double)cap - WorthAt(time)));
            }

            return Math.Sign(rule.Points) * Math.Min(Math.Abs(rule.Points), Math.Max(0, room));
        }

        public void Give(decimal points, DateTimeOffset time)
        {
            var size = Math.Abs(points);
            (worth, worthAt) = (WorthAt(time) + (double)size, time);
            if (rule is { Window: not null, Cap: not null })
            {
                given.Enqueue((time, size));
                inWindow += size;
            }
        }

        private double WorthAt(DateTimeOffset time) =>
            rule.HalfLife is { } halfLife ? worth * Decay.Factor(time - worthAt, halfLife.TotalSeconds) : worth;
    }
}
