namespace Lifecycle.Scoring.Domain;

/// <summary>
/// What a lead's history came to, as far as later activities need it: they are counted from here on, with the very result of looking at the
/// whole history again. Only by models for which <see cref="ScoringModel.IsIncremental"/> holds, of leads without adjustments. Not safe for
/// concurrent use.
/// </summary>
public sealed class ScoreProgress
{
    private readonly PointCounter counter;
    private readonly ScoreAccumulator sum = new();
    private decimal gained;
    private DateTimeOffset at;

    private ScoreProgress(PointCounter counter, ScoreSheet sheet)
    {
        (this.counter, LastFact, at) = (counter, sheet.LastFact, sheet.CreateTime ?? DateTimeOffset.UnixEpoch);
        foreach (var contribution in sheet.Contributions)
        {
            Note(contribution);
            sum.Add(contribution);
        }
    }

    /// <summary>The model that gave the points.</summary>
    public ScoringModel Model => counter.Model;

    /// <summary>Time of the last of what is known: only what comes after it can be counted from here on.</summary>
    public DateTimeOffset LastFact { get; private set; }

    /// <summary>Sum of the contributions, as <see cref="ScoreSheet.State"/>.</summary>
    public ScoreState State => sum.StateAt(at);

    /// <summary>
    /// How far a lead is that was scored just now; null where nothing can be counted from there on. A sheet gives it once.
    /// </summary>
    public static ScoreProgress? Of(ScoreSheet sheet) => sheet.Counter is { } counter ? new(counter, sheet) : null;

    /// <summary>Counts further activities.</summary>
    /// <param name="activities">In order, all after <see cref="LastFact"/>.</param>
    /// <param name="profile">The same as before; null also where <see cref="ScoringModel.ReadsProfile"/> is false.</param>
    /// <param name="createTime">When the lead became known, as before; null: it is not yet.</param>
    /// <param name="standing">What was decided before.</param>
    /// <returns>
    /// What they gave, in order, and when a qualified lead ceases to be unless something happens. Null: something is to be decided, for
    /// which the lead has to be scored in whole; the progress is of no use any more.
    /// </returns>
    public (IReadOnlyList<Contribution> Given, DateTimeOffset? Due)? Advance(
        IReadOnlyList<Activity> activities, LeadProfile? profile, DateTimeOffset? createTime, Standing standing)
    {
        var given = new List<Contribution>();
        ActivitySource? source = null;
        foreach (var activity in activities)
        {
            source ??= new(activity, profile);
            source.Activity = activity;
            counter.Count(source, withWords: true, given);
            LastFact = activity.Time;
        }

        var last = at;
        foreach (var contribution in given)
        {
            Note(contribution);
        }

        return Qualifier.Stands(Model, sum, (double)gained, last, given, createTime, standing, out var due) ? (given, due) : null;
    }

    private void Note(Contribution contribution)
    {
        gained += Math.Max(contribution.Points, 0);
        at = contribution.Time > at ? contribution.Time : at;
    }
}
