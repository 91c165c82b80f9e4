using System.Globalization;

namespace Lifecycle.Scoring.Domain;

/// <summary>What a seller wants to know of a qualification besides the reasons.</summary>
/// <param name="Recent">What the lead did last, newest first, in words.</param>
/// <param name="Changes">What had changed, in words.</param>
/// <param name="Hot">Whether the score reached the threshold <c>hot</c>.</param>
public sealed record QualificationStory(IReadOnlyList<string> Recent, IReadOnlyList<string> Changes, bool Hot)
{
    public static readonly QualificationStory None = new([], [], false);
    private const int MaxRecent = 5;
    private const int MaxNamed = 3;
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <summary>The story of a transition.</summary>
    /// <param name="model">The model that decided.</param>
    /// <param name="sheet">The lead's ledger.</param>
    /// <param name="activities">The lead's activities.</param>
    /// <param name="transition">What was decided.</param>
    /// <param name="again">Whether the lead had been qualified before.</param>
    public static QualificationStory Of(
        ScoringModel model, ScoreSheet sheet, IEnumerable<Activity> activities, Transition transition, bool again)
    {
        if (!transition.Qualified)
        {
            return None;
        }

        var recent = activities.Where(activity => activity.Time <= transition.Time)
            .OrderByDescending(activity => activity.Time).ThenByDescending(activity => activity.Id).Take(MaxRecent)
            .Select(Evidence.Told).ToArray();
        var now = sheet.Contributions.Where(entry => entry.Time <= transition.Time).ToArray();
        var before = Total(now.Where(entry => entry.Time < transition.Time && !(entry.End == transition.Time)), transition.Time);
        var changes = new List<string>();
        if (now.Where(entry => entry.Time == transition.Time && entry.Points > 0).OrderByDescending(entry => entry.Points).ToArray()
            is { Length: > 0 } gained)
        {
            var named = gained.Take(MaxNamed).Select(entry => $"{model.RuleName(entry.RuleId)} ({Signed(entry.Points)})");
            var more = gained.Length > MaxNamed ? $" and {gained.Length - MaxNamed} more" : "";
            changes.Add($"The score rose from {Shown(before)} to {Shown(transition.Score)}: {string.Join(", ", named)}{more}.");
        }
        else if (now.Any(entry => entry.End == transition.Time && entry.Points < 0))
        {
            changes.Add($"Points against the lead ended; the score is {Shown(transition.Score)}.");
        }
        else
        {
            changes.Add(
                $"The score of {Shown(transition.Score)} reaches the {Shown((decimal)model.Thresholds.Mql)} points that the model asks for.");
        }

        var weekAgo = transition.Time - Week;
        changes.Add(now.Any(entry => entry.Time <= weekAgo)
            ? $"Seven days before it was {Shown(Total(now.Where(entry => entry.Time <= weekAgo), weekAgo))}."
            : sheet.CreateTime > weekAgo ? "The lead is new: seven days before it had no points." : "Seven days before it had no points.");
        if (again)
        {
            changes.Add("It had been qualified before.");
        }

        return new(recent, changes, (double)transition.Score >= model.Thresholds.Hot);
    }

    private static decimal Total(IEnumerable<Contribution> contributions, DateTimeOffset time) =>
        ScorePoints.Cents(contributions.Sum(entry => entry.ValueAt(time)));

    private static string Shown(decimal points) => points.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Signed(decimal points) => points.ToString("+0.##;-0.##", CultureInfo.InvariantCulture);
}
