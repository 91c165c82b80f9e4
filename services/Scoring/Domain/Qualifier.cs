namespace Lifecycle.Scoring.Domain;

/// <summary>What has been decided about a lead so far.</summary>
/// <param name="Qualified">Whether the lead counts as qualified.</param>
/// <param name="DecidedUntil">Nothing at or before this instant is decided again: the last change, or sales' return. Null: nothing was
/// decided.</param>
/// <param name="Returned">Sales handed the lead back: only an activity that earns points qualifies it again.</param>
/// <param name="MayQualify">False from SQL on: the lead is in sales' hands, or beyond, and its score decides nothing.</param>
public sealed record Standing(bool Qualified, DateTimeOffset? DecidedUntil, bool Returned, bool MayQualify)
{
    public static readonly Standing New = new(false, null, false, true);
}

/// <summary>A lead became qualified, or ceased to be.</summary>
/// <param name="Qualified">Which.</param>
/// <param name="Time">When.</param>
/// <param name="Score">Score at that time.</param>
/// <param name="Decayed">Ceased by decay; else by points against the lead.</param>
/// <param name="Reasons">Of a qualification, strongest first, at most ten.</param>
public sealed record Transition(bool Qualified, DateTimeOffset Time, decimal Score, bool Decayed, IReadOnlyList<Reason> Reasons)
{
    /// <summary>What else a seller reads of it.</summary>
    public QualificationStory Story { get; init; } = QualificationStory.None;
}

/// <summary>Why a lead qualified.</summary>
/// <param name="RuleId">Rule.</param>
/// <param name="Text">In words.</param>
/// <param name="Points">Points of the rule at that moment.</param>
/// <param name="Time">Of the last evidence; null for attributes.</param>
public sealed record Reason(string RuleId, string Text, decimal Points, DateTimeOffset? Time);

/// <summary>Outcome of walking a lead's history.</summary>
/// <param name="Transitions">In order of time, alternating.</param>
/// <param name="Standing">After them.</param>
/// <param name="Due">When a qualified lead ceases to be unless something happens; null: never, or not qualified.</param>
public sealed record QualifierOutcome(IReadOnlyList<Transition> Transitions, Standing Standing, DateTimeOffset? Due);

/// <summary>
/// Decides when a lead qualifies: at the first contribution, from the lead's creation on, at which the total reaches <c>mql</c> and the
/// model's requirements are met. It ceases
/// at the instant the total decays below <c>demote</c>, or points against the lead take it there, or points that end. As <c>demote</c> lies
/// below <c>mql</c>, nothing flaps.
/// </summary>
public static class Qualifier
{
    private const int MaxReasons = 10;

    /// <summary>More points than the rounding of any sum.</summary>
    private const double Margin = 0.01;

    /// <param name="model">Thresholds, and rule names for the reasons.</param>
    /// <param name="sheet">The lead's ledger.</param>
    /// <param name="createTime">When the lead became known; null: it is not yet, and cannot qualify.</param>
    /// <param name="standing">What was decided before.</param>
    /// <param name="evaluateAt">A further instant to decide at, such as the change of the model.</param>
    /// <param name="decideTo">What time alone does after this instant waits, as history may still be on its way: it is due then. Null: the
    /// sheet's.</param>
    /// <param name="settle">Nothing waits any more: a fall that is due by then is decided too.</param>
    /// <param name="withReasons">False: nobody asks why.</param>
    public static QualifierOutcome Walk(
        ScoringModel model, ScoreSheet sheet, DateTimeOffset? createTime, Standing standing, DateTimeOffset? evaluateAt = null,
        DateTimeOffset? decideTo = null, bool settle = false, bool withReasons = true)
    {
        if (createTime is not { } created || !standing.MayQualify)
        {
            return new([], standing, null);
        }

        var contributions = sheet.Contributions;
        var until = decideTo ?? sheet.AsOf;
        if (!standing.Qualified && Gained(contributions) < model.Thresholds.Mql
            && (contributions.Count == 0 || contributions[^1].Time <= until)
            && !contributions.Any(contribution => contribution.End > until && contribution.End <= sheet.AsOf))
        {
            // Most leads: all they ever gained together is too little, and nothing waits.
            return new([], standing, null);
        }

        var transitions = new List<Transition>();
        var sum = new ScoreAccumulator();
        var next = 0;
        DateTimeOffset? last = null;
        var times = new List<DateTimeOffset>(contributions.Count + 2) { created, evaluateAt ?? created };
        DateTimeOffset? waiting = null;
        foreach (var contribution in contributions)
        {
            NoteChange(contribution.Time);
            if (contribution.End <= sheet.AsOf)
            {
                NoteChange(contribution.End.Value);
            }
        }

        times.Sort();
        foreach (var time in times)
        {
            if (time == last)
            {
                continue;
            }

            if (standing.Qualified && last is { } since && Falls(model, sum, since, time) is { } fell && fell < time
                && IsOpen(standing, fell))
            {
                Cease(fell, sum.StateAt(fell), decayed: true);
            }

            var (earned, lost) = (false, false);
            for (; next < contributions.Count && contributions[next].Time <= time; next++)
            {
                var contribution = contributions[next];
                earned |= contribution is { IsOfProfile: false, Points: > 0 };
                lost |= contribution.Points < 0;
                sum.Add(contribution);
            }

            sum.Advance(time);
            if (time >= created && IsOpen(standing, time))
            {
                var total = sum.TotalAt(time);
                if (!standing.Qualified && (earned || !standing.Returned)
                    && IsEnough(model, sum, total, time, out var points))
                {
                    transitions.Add(new(true, time, points.Total, false, withReasons ? Reasons(model, contributions, next, time) : []));
                    standing = standing with { Qualified = true, DecidedUntil = time, Returned = false };
                }
                else if (standing.Qualified && total < model.Thresholds.Demote)
                {
                    Cease(time, sum.StateAt(time), decayed: !lost);
                }
            }

            last = time;
        }

        var falls = standing.Qualified && last is { } end ? sum.StateAt(end).FallsBelow(model.Thresholds.Demote) : null;

        // What came late can place the fall before what is already decided: then it is due right after.
        var due = falls is { } fall && !IsOpen(standing, fall) ? standing.DecidedUntil!.Value.AddMicroseconds(1) : falls;
        if (settle && due <= until)
        {
            Cease(due.Value, sum.StateAt(due.Value), decayed: true);
            due = null;
        }

        due = waiting < due || due is null ? waiting : due;
        // Points end or begin before: the lead is scored anew then.
        due = sheet.NextChange <= due ? null : due;
        return new(transitions, standing, due);

        void NoteChange(DateTimeOffset time)
        {
            if (time <= until)
            {
                times.Add(time);
            }
            else if (!(time >= waiting))
            {
                waiting = time;
            }
        }

        void Cease(DateTimeOffset time, ScoreState state, bool decayed)
        {
            transitions.Add(new(false, time, state.PointsAt(time).Total, decayed, []));
            standing = standing with { Qualified = false, DecidedUntil = time };
        }
    }

    /// <summary>
    /// Goes on from a walk that left nothing waiting, over contributions that all come after it, and never end.
    /// </summary>
    /// <param name="model">Thresholds.</param>
    /// <param name="sum">The contributions before; those given are added.</param>
    /// <param name="gained">All points ever gained, those given too.</param>
    /// <param name="last">Last instant at which the walk decided: that of the last contribution, or the lead's creation.</param>
    /// <param name="given">The contributions, in order.</param>
    /// <param name="createTime">When the lead became known, not after <paramref name="last"/>; null: it is not yet.</param>
    /// <param name="standing">What was decided before.</param>
    /// <param name="due">As <see cref="QualifierOutcome.Due"/>.</param>
    /// <returns>False: a transition is to be decided, by <see cref="Walk"/>; not all was added then.</returns>
    internal static bool Stands(
        ScoringModel model, ScoreAccumulator sum, double gained, DateTimeOffset last, IReadOnlyList<Contribution> given,
        DateTimeOffset? createTime, Standing standing, out DateTimeOffset? due)
    {
        due = null;
        var decides = createTime is not null && standing.MayQualify && (standing.Qualified || gained + Margin >= model.Thresholds.Mql);
        for (var next = 0; next < given.Count;)
        {
            var time = given[next].Time;
            if (decides && standing.Qualified && Falls(model, sum, last, time) is { } fell && fell < time && IsOpen(standing, fell))
            {
                return false;
            }

            var earned = false;
            for (; next < given.Count && given[next].Time == time; next++)
            {
                earned |= given[next].Points > 0;
                sum.Add(given[next]);
            }

            if (decides && IsOpen(standing, time))
            {
                var total = sum.TotalAt(time);
                if (standing.Qualified
                    ? total < model.Thresholds.Demote
                    : (earned || !standing.Returned) && IsEnough(model, sum, total, time, out _))
                {
                    return false;
                }
            }

            last = time;
        }

        var falls = decides && standing.Qualified ? sum.StateAt(last).FallsBelow(model.Thresholds.Demote) : null;
        due = falls is { } fall && !IsOpen(standing, fall) ? standing.DecidedUntil!.Value.AddMicroseconds(1) : falls;
        return true;
    }

    /// <summary>Whether the sum qualifies a lead.</summary>
    private static bool IsEnough(ScoringModel model, ScoreAccumulator sum, double total, DateTimeOffset time, out ScorePoints points)
    {
        points = default!;
        return ScorePoints.Cents(total) >= (decimal)model.Thresholds.Mql
            && model.MeetsRequirements((points = sum.StateAt(time).PointsAt(time)).Fit);
    }

    /// <summary>The fall is sought only where there can be one: points that only decay lie above the threshold until they lie below
    /// it.</summary>
    private static DateTimeOffset? Falls(ScoringModel model, ScoreAccumulator sum, DateTimeOffset since, DateTimeOffset before) =>
        sum.HasDecayingLoss || sum.TotalAt(before) < model.Thresholds.Demote
            ? sum.StateAt(since).FallsBelow(model.Thresholds.Demote)
            : null;

    /// <summary>No total is ever above it: what decays or is taken away only lessens it. With a margin for rounding.</summary>
    private static double Gained(IReadOnlyList<Contribution> contributions)
    {
        var gained = 0m;
        foreach (var contribution in contributions)
        {
            gained += Math.Max(contribution.Points, 0);
        }

        return (double)gained + Margin;
    }

    private static bool IsOpen(Standing standing, DateTimeOffset time) => standing.DecidedUntil is null || time > standing.DecidedUntil;

    private static List<Reason> Reasons(ScoringModel model, IReadOnlyList<Contribution> contributions, int count, DateTimeOffset time) =>
        contributions.Take(count)
            .GroupBy(contribution => contribution.RuleId, (ruleId, ofRule) => (RuleId: ruleId, OfRule: ofRule.ToArray()))
            .Select(rule => (
                rule.RuleId,
                Last: rule.OfRule[^1],
                Points: ScorePoints.Cents(rule.OfRule.Sum(contribution => contribution.ValueAt(time)))))
            .Where(rule => rule.Points > 0)
            .OrderByDescending(rule => rule.Points).ThenByDescending(rule => rule.Last.Time)
            .ThenBy(rule => rule.RuleId, StringComparer.Ordinal)
            .Take(MaxReasons)
            .Select(rule => new Reason(
                rule.RuleId,
                Evidence.Text(model.RuleName(rule.RuleId), rule.Last),
                rule.Points,
                rule.Last.IsOfProfile ? null : rule.Last.Time))
            .ToList();
}
