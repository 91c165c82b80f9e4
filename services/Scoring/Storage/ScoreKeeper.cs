using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Live;

namespace Lifecycle.Scoring.Storage;

/// <summary>
/// Brings scores up to what profile, activities, adjustments and models say, in the transaction that changed one of them: ledger, scores,
/// qualification and their events. Scoring the same lead again changes nothing. Every score of the workspace is made in one pass over the
/// lead's activities; <c>default</c> alone decides on qualification and is told by events.
/// </summary>
public sealed partial class ScoreKeeper(ModelStore models, ProgressMemory memory, ScoringTelemetry telemetry)
{
    /// <summary>The models in force.</summary>
    public Task<ModelSet> Models(Transaction<ScoringDbContext> tx) => models.InForce(tx);

    /// <summary>Scores locked leads anew, saves their rows and publishes what changed.</summary>
    /// <param name="tx">The transaction that holds the rows' locks.</param>
    /// <param name="rows">Leads; merged and erased ones are saved only.</param>
    /// <param name="cause">When what led to this happened, by lead: the events' time is never before it.</param>
    /// <param name="newModel">The model changed: leads may qualify as of the cause, not before.</param>
    /// <param name="settle">No history is on its way any more: what time alone did is decided; else it waits and is due.</param>
    /// <param name="factsChanged">False: of the rows nothing is saved but what scoring sets.</param>
    public async Task Score(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows, Func<LeadRow, DateTimeOffset> cause, bool newModel = false,
        bool settle = false, bool factsChanged = true) =>
        await Score(tx, await models.InForce(tx), rows, cause, newModel, null, settle, factsChanged);

    /// <param name="tx">As above.</param>
    /// <param name="set">The models in force.</param>
    /// <param name="rows">As above.</param>
    /// <param name="cause">As above.</param>
    /// <param name="newModel">As above.</param>
    /// <param name="news">
    /// Given when nothing but activities are new. What was given for earlier ones, and for the profile, cannot change: that part of the
    /// ledger is neither read nor compared. Null: anything may have changed.
    /// </param>
    /// <param name="settle">As above.</param>
    /// <param name="factsChanged">As above.</param>
    private async Task Score(
        Transaction<ScoringDbContext> tx, ModelSet set, IReadOnlyCollection<LeadRow> rows,
        Func<LeadRow, DateTimeOffset> cause, bool newModel, Dictionary<Guid, LeadNews>? news, bool settle, bool factsChanged)
    {
        var changes = new List<LedgerChange>();
        var advanced = news is null ? [] : Advance(tx, set.Default, rows, news, changes);
        if (news is not null && advanced.Count < rows.Count)
        {
            // What was recorded is read.
            await tx.Flush();
        }

        var scored = rows.Where(row => IsScored(row) && !advanced.Contains(row.LeadId)).ToArray();
        if (news is not null && !set.Default.Model.ReadsProfile)
        {
            await LeadStore.ReadFacts(tx, scored);
        }

        var ids = scored.Select(row => row.LeadId).ToArray();
        var activities = await ActivityHistory.Read(tx, ids, [.. set.Models.Select(stored => stored.Model)]);
        var adjustments = await AdjustmentStore.Read(tx, scored);
        // What rules over counts and inactivity gave before an activity ends with it.
        var timed = set.Models.Any(stored => stored.Model.HasTimedRules);
        var from = scored.ToDictionary(
            row => row.LeadId,
            row => news is not null && !timed && row.Generation == set.Generation && row.State is not null
                ? news[row.LeadId].From
                : DateTimeOffset.MinValue);
        var ledger = await LedgerStore.Read(
            tx, scored.Where(
                row => row.Adjustments > 0 || HasLedger(from[row.LeadId], news?[row.LeadId], activities.GetValueOrDefault(row.LeadId)))
                .ToDictionary(row => row.LeadId, row => from[row.LeadId]));
        var named = set.HasNamed ? await ScoreStore.Read(tx, rows.Select(row => row.LeadId).ToArray()) : [];
        var changedScores = new List<ScoreRow>();
        var transitions = new List<(Guid LeadId, Transition Transition)>();
        foreach (var row in scored)
        {
            var lead = LeadInput.Of(row, activities.GetValueOrDefault(row.LeadId) ?? [], tx.Now);
            row.CompanyKey = StoredText.Clean(lead.Profile is null ? null : CompanyKeys.Of(lead.Profile));
            row.CompanyName = StoredText.Clean(lead.Profile?.Company?.Name);
            foreach (var stored in set.Models)
            {
                var byHand = adjustments[(row.LeadId, stored.ScoreName)].ToArray();
                var sheet = lead.Score(stored, byHand, from[row.LeadId]);
                var change = LedgerChange.Between(
                    row.LeadId, stored.ScoreName, stored.Model.Version,
                    ledger[(row.LeadId, stored.ScoreName)].Where(entry => MayChange(entry, from[row.LeadId])),
                    sheet.Contributions.Where(entry => MayChange(entry, from[row.LeadId])).ToArray());
                changes.Add(change);
                if (stored.ScoreName == ModelStore.DefaultScore)
                {
                    transitions.AddRange(Decide(tx, row, stored, sheet, lead, byHand, cause(row), newModel, settle));
                    if (news is not null && !set.HasNamed && ScoreProgress.Of(sheet) is { } progress)
                    {
                        memory.Keep(tx.WorkspaceId, row, progress);
                    }
                }
                else if (Informed(row.LeadId, stored, sheet, named) is { } changed)
                {
                    changedScores.Add(changed);
                }
            }

            row.Generation = set.Generation;
            foreach (var gone in ledger.Where(score => score.Key.LeadId == row.LeadId && set.Find(score.Key.ScoreName) is null))
            {
                changes.Add(new(row.LeadId, gone.Key.ScoreName, 0, [], gone.ToArray()));
            }
        }

        var lost = named.Values.Where(
            score => score.State is not null && (set.Find(score.ScoreName) is null || !ids.Contains(score.LeadId)));
        foreach (var row in lost)
        {
            (row.State, row.NextTime, row.Version) = (null, null, row.Version + 1);
            changedScores.Add(row);
        }

        LedgerStore.Write(tx, changes);
        LedgerStore.AddTransitions(tx, set.Default.Model.Version, transitions);
        if (news is null && factsChanged)
        {
            await LeadStore.Save(tx, rows);
        }
        else
        {
            LeadStore.SaveScores(tx, rows);
        }

        ScoreStore.Save(tx, changedScores);
        Announce(
            tx,
            [.. rows.Where(row => row.Version != row.StoredVersion).Select(row => row.LeadId)
                .Concat(changedScores.Select(row => row.LeadId)).Distinct()]);
        telemetry.Scored(rows.Count, changes.Sum(change => change.Written.Count), transitions.Count(entry => entry.Transition.Qualified));
        telemetry.Demoted(transitions.Count(entry => !entry.Transition.Qualified));
    }

    /// <summary>What a lead's score is at an instant by the model that gave it, computed from the facts; null: it has none.</summary>
    public async Task<(StoredModel Model, ScoreSheet Sheet)?> Compute(
        Transaction<ScoringDbContext> tx, LeadRow row, string scoreName, int modelVersion, DateTimeOffset now)
    {
        if (!IsScored(row) || await models.Find(tx, scoreName, modelVersion) is not { } stored)
        {
            return null;
        }

        var activities = await ActivityHistory.Read(tx, [row.LeadId], stored.Model);
        var adjustments = await AdjustmentStore.Read(tx, [row]);
        return (stored, LeadInput.Of(row, activities.GetValueOrDefault(row.LeadId) ?? [], now).Score(
            stored, [.. adjustments[(row.LeadId, scoreName)]], DateTimeOffset.MinValue));
    }

    /// <summary>
    /// Tells every replica, once the transaction commits, which scores changed; without any, that models or what is due did.
    /// </summary>
    public static void Announce(Transaction<ScoringDbContext> tx, params IReadOnlyCollection<Guid> leadIds)
    {
        foreach (var chunk in leadIds.Count == 0 ? [[]] : leadIds.Chunk(ScoreAnnouncement.MaxLeads))
        {
            tx.Closing.BatchCommands.Add(new("select pg_notify($1, $2)")
            {
                Parameters = { Bulk.Value(ScoreAnnouncement.Channel), Bulk.Value(new ScoreAnnouncement(tx.WorkspaceId, chunk).ToString()) },
            });
        }
    }

    /// <summary>Whether an entry can change when the first new activity has that time: those for later ones. The least time: all.</summary>
    private static bool MayChange(Contribution entry, DateTimeOffset from) =>
        from == DateTimeOffset.MinValue || (entry.Time >= from && !entry.IsOfProfile);

    /// <summary>Whether the ledger may have entries that can change: not when all activities from there on are new.</summary>
    private static bool HasLedger(DateTimeOffset from, LeadNews? news, List<Activity>? activities)
    {
        if (from == DateTimeOffset.MinValue || activities is null || news is not { } added)
        {
            return true;
        }

        var later = 0;
        for (var index = activities.Count - 1; index >= 0 && activities[index].Time >= from; index--)
        {
            later++;
        }

        return later != added.Added.Count;
    }

    private static bool IsScored(LeadRow row) => row.MergedInto is null && row.EraseTime is null;

    /// <summary>Sets the row to the sheet, decides on qualification and publishes both.</summary>
    private static List<(Guid LeadId, Transition Transition)> Decide(
        Transaction<ScoringDbContext> tx, LeadRow row, StoredModel stored, ScoreSheet sheet, LeadInput lead,
        Adjustment[] byHand, DateTimeOffset time, bool newModel, bool settle)
    {
        var model = stored.Model;
        var standing = StandingOf(row);
        var again = row.DecidedUntil is not null;
        newModel &= row.ModelVersion != model.Version;
        if (newModel && !(standing.DecidedUntil >= time))
        {
            standing = standing with { DecidedUntil = time.AddMicroseconds(-1) };
        }

        var last = sheet.LastFact > time ? sheet.LastFact : time;
        var outcome = Walk(sheet);
        if (outcome.Transitions.Count > 0)
        {
            // Reasons are told in words, those of long ago too.
            sheet = lead.Score(stored, byHand, DateTimeOffset.MinValue);
            outcome = Walk(sheet);
        }

        if (Apply(row, model, sheet, outcome, tx.Now))
        {
            tx.Publish(ScoreChanged(tx, row, model, sheet.State, time > sheet.State.At ? time : sheet.State.At));
        }

        var told = new List<(Guid LeadId, Transition Transition)>();
        foreach (var transition in outcome.Transitions)
        {
            var whole = transition with { Story = QualificationStory.Of(model, sheet, lead.Activities, transition, again) };
            again = true;
            told.Add((row.LeadId, whole));
            tx.Publish(Decided(tx, row, model, whole));
        }

        return told;

        QualifierOutcome Walk(ScoreSheet by) => Qualifier.Walk(
            model, by, row.Profile is null ? null : row.CreateTime, standing, newModel ? time : null, settle ? tx.Now : last, settle);
    }

    /// <summary>Whether the points changed.</summary>
    private static bool Apply(LeadRow row, ScoringModel model, ScoreSheet sheet, QualifierOutcome outcome, DateTimeOffset now)
    {
        var (qualified, decided, returned) = (outcome.Standing.Qualified, outcome.Standing.DecidedUntil, outcome.Standing.Returned);
        var changed = row.State is null || row.ModelVersion != model.Version || !SameState(row.State, sheet.State);
        if (changed || row.Qualified != qualified || row.NextTime != sheet.NextChange)
        {
            row.Version++;
        }

        (row.State, row.ModelVersion, row.ChangeTime) = (JsonSerializer.Serialize(sheet.State, DefaultModel.Json), model.Version, now);
        (row.NextTime, row.DueTime) = (sheet.NextChange, outcome.Due);
        (row.Qualified, row.DecidedUntil, row.Returned) = (qualified, decided, returned);
        return changed;
    }

    /// <summary>The row of a score that does not decide, where it changed; else null.</summary>
    private static ScoreRow? Informed(
        Guid leadId, StoredModel stored, ScoreSheet sheet, Dictionary<(Guid LeadId, string ScoreName), ScoreRow> named)
    {
        if (!named.TryGetValue((leadId, stored.ScoreName), out var row))
        {
            row = new() { ScoreName = stored.ScoreName, LeadId = leadId };
        }

        if (row.State is not null && row.ModelVersion == stored.Model.Version && row.NextTime == sheet.NextChange
            && SameState(row.State, sheet.State))
        {
            return null;
        }

        (row.State, row.ModelVersion) = (JsonSerializer.Serialize(sheet.State, DefaultModel.Json), stored.Model.Version);
        (row.NextTime, row.Version) = (sheet.NextChange, row.Version + 1);
        return row;
    }

    /// <summary>Postgres writes jsonb in its own form: compare what it means.</summary>
    private static bool SameState(string stored, ScoreState state) =>
        JsonSerializer.Deserialize<ScoreState>(stored, DefaultModel.Json)!.IsSame(state);

    private static LeadScoreChanged ScoreChanged(
        Transaction<ScoringDbContext> tx, LeadRow row, ScoringModel model, ScoreState state, DateTimeOffset time)
    {
        var points = state.PointsAt(time);
        return new(
            tx.NewId(), tx.WorkspaceId, time, row.Version, row.LeadId, points.Total, points.Fit, points.Behavior, points.Bant,
            model.Grade(points.Fit),
            model.Band(points.Total), model.Version);
    }

    private static ILifecycleEvent Decided(Transaction<ScoringDbContext> tx, LeadRow row, ScoringModel model, Transition transition)
    {
        var version = ++row.Version;
        return transition.Qualified
            ? new LeadQualified(
                tx.NewId(), tx.WorkspaceId, transition.Time, version, row.LeadId, transition.Score, model.Version,
                transition.Reasons.Select(reason => new ReasonInfo(reason.RuleId, reason.Text, reason.Points, reason.Time)).ToArray(),
                transition.Story.Recent, transition.Story.Changes, transition.Story.Hot)
            : new LeadDisqualified(
                tx.NewId(), tx.WorkspaceId, transition.Time, version, row.LeadId, transition.Score, transition.Decayed
                    ? "SCORE_DECAYED"
                    : "NEGATIVE_FIT");
    }

    /// <summary>The facts that a lead is scored by.</summary>
    private sealed record LeadInput(
        LeadProfile? Profile, Dictionary<string, DateTimeOffset> Since, List<Activity> Activities, DateTimeOffset Now)
    {
        public static LeadInput Of(LeadRow row, List<Activity> activities, DateTimeOffset now) => new(
            row.Profile is null ? null : JsonSerializer.Deserialize<LeadProfile>(row.Profile, DefaultModel.Json),
            JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(row.Since, DefaultModel.Json)!, activities, now);

        public ScoreSheet Score(StoredModel stored, IReadOnlyList<Adjustment> adjustments, DateTimeOffset wordsFrom) => Scorer.Score(
            stored.Model, Profile, SinceKeys.Of(Since, stored.ScoreName), Activities, adjustments, Now, wordsFrom);
    }
}
