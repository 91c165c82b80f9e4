namespace Lifecycle.Scoring.Domain;

/// <summary>
/// Scores a lead: a pure function of model, profile, adjustments and the set of activities. The order and number of deliveries cannot
/// matter, because activities are put in order of time first.
/// </summary>
/// <remarks>
/// Caps bind when points are given: a rule gives at most what is missing to its cap (of the decayed points, or of the points given within
/// the window) and to the category's cap. So the score stays a plain sum of decaying contributions. Points for the profile count fully
/// towards the category's cap, negative ones first. Adjustments by hand stand outside every cap.
/// </remarks>
public static class Scorer
{
    private const int PointDecimals = 4;

    /// <param name="model">The model.</param>
    /// <param name="profile">Null: nothing is known yet.</param>
    /// <param name="since">Since when a profile rule has held, by rule id; else since the lead's creation.</param>
    /// <param name="activities">In any order, without duplicates.</param>
    /// <param name="adjustments">By hand; null: none.</param>
    /// <param name="now">Instant to score for; null, or earlier than the last of what is known: that.</param>
    /// <param name="wordsFrom">Contributions for what was done from then on tell their evidence, those for the profile only when it is the
    /// least time; points are the same without.</param>
    public static ScoreSheet Score(
        ScoringModel model,
        LeadProfile? profile,
        IReadOnlyDictionary<string, DateTimeOffset> since,
        IEnumerable<Activity> activities,
        IReadOnlyList<Adjustment>? adjustments = null,
        DateTimeOffset? now = null,
        DateTimeOffset wordsFrom = default)
    {
        var ordered = InOrder(activities);
        var lastFact = LastFact(profile, ordered, adjustments);
        var counter = new PointCounter(model);
        var ledger = new List<Contribution>(ordered.Count + 8);
        foreach (var contribution in ProfileContributions(model, profile, since, wordsFrom == default))
        {
            counter.CountProfile(contribution);
            lastFact = contribution.Time > lastFact ? contribution.Time : lastFact;
            ledger.Add(contribution);
        }

        var asOf = now > lastFact ? now.Value : lastFact;
        var history = new History(ordered, profile);
        var holdings = model.HasTimedRules ? new Queue<Holding>(TimedRules.Follow(model, profile, history)) : null;
        var source = ordered.Count > 0 ? new ActivitySource(ordered[0], profile, history) : null;
        foreach (var activity in ordered)
        {
            Hold(activity.Time, inclusive: false);
            source!.Activity = activity;
            counter.Count(source, activity.Time >= wordsFrom, ledger);
        }

        Hold(asOf, inclusive: true);
        ledger.AddRange((adjustments ?? []).Select(adjustment => adjustment.ToContribution()));
        if (!IsInOrder(ledger))
        {
            // Those of one time and activity stay as they were given.
            ledger = [.. ledger.OrderBy(entry => entry.Time).ThenBy(entry => entry.ActivityId)];
        }

        return new(ledger, profile?.CreateTime, asOf, lastFact, NextChange())
        {
            Counter = model.IsIncremental && adjustments is not { Count: > 0 } ? counter : null,
        };

        // Gives the points of timed rules that begin to hold by then.
        void Hold(DateTimeOffset time, bool inclusive)
        {
            while (holdings is not null && holdings.TryPeek(out var next) && (inclusive ? next.Start <= time : next.Start < time))
            {
                counter.Hold(holdings.Dequeue(), ledger);
            }
        }

        DateTimeOffset? NextChange()
        {
            var first = holdings is not null && holdings.TryPeek(out var next) ? next.Start : (DateTimeOffset?)null;
            foreach (var entry in ledger)
            {
                if (entry.End > asOf && entry.Points != entry.Floor && !(first <= entry.End))
                {
                    first = entry.End;
                }
            }

            return first;
        }
    }

    /// <summary>Rules that hold for the profile, without caps: since when each has held is remembered by rule.</summary>
    public static IEnumerable<string> ProfileRules(ScoringModel model, LeadProfile profile) =>
        from rule in model.Rules
        where rule.Kind == RuleKind.Profile && rule.Condition.Holds(profile, profile.CreateTime)
        select rule.Id;

    /// <summary>Sum of contributions in order of time, as they are worth at the last change by then.</summary>
    internal static ScoreState Sum(IReadOnlyList<Contribution> ordered, DateTimeOffset? createTime, DateTimeOffset asOf)
    {
        var sum = new ScoreAccumulator();
        var at = createTime ?? DateTimeOffset.UnixEpoch;
        foreach (var contribution in ordered)
        {
            at = contribution.Time > at ? contribution.Time : at;
            if (contribution.End <= asOf)
            {
                at = contribution.End > at ? contribution.End.Value : at;
                sum.Add(contribution with { Points = contribution.Floor, HalfLife = null, End = null });
            }
            else
            {
                sum.Add(contribution.End is null ? contribution : contribution with { End = null });
            }
        }

        return sum.StateAt(at);
    }

    /// <summary>Rounds down to the decimals that the ledger keeps, so that a cap is never passed.</summary>
    internal static decimal Floor(double points) => Math.Round((decimal)points, PointDecimals, MidpointRounding.ToZero);

    private static List<Activity> InOrder(IEnumerable<Activity> activities)
    {
        var list = activities as List<Activity> ?? [.. activities];
        if (!Activity.AreInOrder(list))
        {
            list = [.. list];
            list.Sort(Activity.InOrder);
        }

        return list;
    }

    // Points are given in order: looking costs less than sorting.
    private static bool IsInOrder(List<Contribution> ledger)
    {
        for (var index = 1; index < ledger.Count; index++)
        {
            var (left, right) = (ledger[index - 1], ledger[index]);
            if ((left.Time.CompareTo(right.Time) is not 0 and var byTime ? byTime : left.ActivityId.CompareTo(right.ActivityId)) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private static DateTimeOffset LastFact(LeadProfile? profile, List<Activity> ordered, IReadOnlyList<Adjustment>? adjustments)
    {
        var latest = profile?.CreateTime ?? DateTimeOffset.UnixEpoch;
        latest = ordered.Count > 0 && ordered[^1].Time > latest ? ordered[^1].Time : latest;
        foreach (var adjustment in adjustments ?? [])
        {
            latest = adjustment.Time > latest ? adjustment.Time : latest;
        }

        return latest;
    }

    private static IEnumerable<Contribution> ProfileContributions(
        ScoringModel model, LeadProfile? profile, IReadOnlyDictionary<string, DateTimeOffset> since, bool withWords)
    {
        if (profile is null)
        {
            yield break;
        }

        var used = new decimal[4];
        foreach (var rule in model.ProfileRules)
        {
            if (!rule.Condition.Holds(profile, profile.CreateTime))
            {
                continue;
            }

            var points = rule.Cap is { } most ? Math.Clamp(rule.Points, -most, most) : rule.Points;
            if (points > 0 && model.Definition.CategoryCaps[rule.Category] is { } cap)
            {
                points = Math.Min(points, Math.Max(0, Floor(cap) - used[(int)rule.Category]));
            }

            if (points != 0)
            {
                used[(int)rule.Category] += points;
                var time = since.TryGetValue(rule.Id, out var known) && known > profile.CreateTime ? known : profile.CreateTime;
                yield return new(
                    rule.Id, rule.Category, Guid.Empty, points, time, rule.HalfLife,
                    withWords ? Evidence.Of(profile, rule.Condition.Fields) : null, rule.FloorOf(points), rule.EndOf(time));
            }
        }
    }
}
