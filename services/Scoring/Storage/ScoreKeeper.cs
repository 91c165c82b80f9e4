using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Live;

namespace Lifecycle.Scoring.Storage;

/// <summary>
/// Brings scores up to what profile, activities, adjustments and models say, in the transaction that changed one of them: ledger, scores,
/// qualification and their events. Scoring the same lead again changes nothing. Every score of the workspace is made in one pass over the
/// lead's activities; <c>default</c> alone decides on qualification and is told by events.
/// </summary>
public sealed class ScoreKeeper(ModelStore models, ScoringTelemetry telemetry)
{
    /// <summary>The models in force.</summary>
    public Task<ModelSet> Models(Transaction<ScoringDbContext> tx) => models.InForce(tx);

    /// <summary>Scores locked leads anew, saves their rows and publishes what changed.</summary>
    /// <param name="tx">The transaction that holds the rows' locks.</param>
    /// <param name="rows">Leads; merged and erased ones are saved only.</param>
    /// <param name="cause">When what led to this happened, by lead: the events' time is never before it.</param>
    /// <param name="newModel">The model changed: leads may qualify as of the cause, not before.</param>
    /// <param name="newFrom">
    /// Given when nothing but activities are new: the time of the first of them, by lead. What was given for earlier ones cannot change, so
    /// that part of the ledger is neither read nor compared. Null: anything may have changed.
    /// </param>
    /// <param name="settle">No history is on its way any more: what time alone did is decided; else it waits and is due.</param>
    public async Task Score(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows, Func<LeadRow, DateTimeOffset> cause, bool newModel = false,
        Func<LeadRow, DateTimeOffset>? newFrom = null, bool settle = false)
    {
        var set = await models.InForce(tx);
        var scored = rows.Where(IsScored).ToArray();
        var ids = scored.Select(row => row.LeadId).ToArray();
        var activities = await ActivityHistory.Read(tx, ids);
        var adjustments = await AdjustmentStore.Read(tx, scored);
        // What rules over counts and inactivity gave before an activity ends with it.
        var timed = set.Models.Any(stored => stored.Model.HasTimedRules);
        var from = scored.ToDictionary(
            row => row.LeadId,
            row => newFrom is not null && !timed && row.Generation == set.Generation && row.State is not null ? newFrom(row) : DateTimeOffset.MinValue);
        var ledger = await LedgerStore.Read(tx, from);
        var named = set.HasNamed ? await ScoreStore.Read(tx, rows.Select(row => row.LeadId).ToArray()) : [];
        var changes = new List<LedgerChange>();
        var changedScores = new List<ScoreRow>();
        var transitions = new List<(Guid LeadId, Transition Transition)>();
        foreach (var row in scored)
        {
            var lead = LeadInput.Of(row, activities.GetValueOrDefault(row.LeadId) ?? [], tx.Now);
            row.CompanyKey = StoredText.Clean(lead.Profile is null ? null : CompanyKeys.Of(lead.Profile));
            row.CompanyName = StoredText.Clean(lead.Profile?.Company?.Name);
            foreach (var stored in set.Models)
            {
                var sheet = lead.Score(stored, adjustments[(row.LeadId, stored.ScoreName)]);
                var change = LedgerChange.Between(
                    row.LeadId, stored.ScoreName, stored.Model.Version, ledger[(row.LeadId, stored.ScoreName)],
                    sheet.Contributions.Where(entry => LedgerStore.MayChange(entry, from[row.LeadId])).ToArray());
                changes.Add(change);
                if (stored.ScoreName == ModelStore.DefaultScore)
                {
                    transitions.AddRange(Decide(tx, row, stored.Model, sheet, lead, cause(row), newModel, settle));
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

        var lost = named.Values.Where(score => score.State is not null && (set.Find(score.ScoreName) is null || !ids.Contains(score.LeadId)));
        foreach (var row in lost)
        {
            (row.State, row.NextTime, row.Version) = (null, null, row.Version + 1);
            changedScores.Add(row);
        }

        await LedgerStore.Write(tx, changes);
        await LedgerStore.AddTransitions(tx, set.Default.Model.Version, transitions);
        await (newFrom is null ? LeadStore.Save(tx, rows) : LeadStore.SaveScores(tx, rows));
        await ScoreStore.Save(tx, changedScores);
        await Announce(
            tx,
            rows.Where(row => row.LiveVersion < row.Version).Select(row => row.LeadId).Concat(changedScores.Select(row => row.LeadId)).Distinct());
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

        var activities = await ActivityHistory.Read(tx, [row.LeadId]);
        var adjustments = await AdjustmentStore.Read(tx, [row]);
        return (stored, LeadInput.Of(row, activities.GetValueOrDefault(row.LeadId) ?? [], now).Score(stored, adjustments[(row.LeadId, scoreName)]));
    }

    /// <summary>Tells every replica which scores changed, once the transaction commits.</summary>
    public static async Task Announce(Transaction<ScoringDbContext> tx, IEnumerable<Guid> leadIds)
    {
        foreach (var chunk in leadIds.Chunk(ScoreAnnouncement.MaxLeads))
        {
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                "select pg_notify(@channel, @payload)",
                new { channel = ScoreAnnouncement.Channel, payload = new ScoreAnnouncement(tx.WorkspaceId, chunk).ToString() },
                cancellationToken: tx.CancellationToken));
        }
    }

    private static bool IsScored(LeadRow row) => row.MergedInto is null && row.EraseTime is null;

    /// <summary>From SQL on the lead is in sales' hands; ruled out or gone it is in nobody's.</summary>
    private static bool IsMarketings(string? stage) =>
        !StageNames.TryParse(stage, out var known) || known is Stage.Visitor or Stage.Lead or Stage.Mql;

    /// <summary>Sets the row to the sheet, decides on qualification and publishes both.</summary>
    private static List<(Guid LeadId, Transition Transition)> Decide(
        Transaction<ScoringDbContext> tx, LeadRow row, ScoringModel model, ScoreSheet sheet, LeadInput lead, DateTimeOffset time, bool newModel,
        bool settle)
    {
        var standing = new Standing(row.Qualified, row.DecidedUntil, row.Returned, IsMarketings(row.Stage));
        var again = row.DecidedUntil is not null;
        newModel &= row.ModelVersion != model.Version;
        if (newModel && !(standing.DecidedUntil >= time))
        {
            standing = standing with { DecidedUntil = time.AddMicroseconds(-1) };
        }

        var last = sheet.LastFact > time ? sheet.LastFact : time;
        var outcome = Qualifier.Walk(
            model, sheet, row.Profile is null ? null : row.CreateTime, standing, newModel ? time : null, settle ? tx.Now : last, settle);
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
        JsonSerializer.Serialize(JsonSerializer.Deserialize<ScoreState>(stored, DefaultModel.Json), DefaultModel.Json)
        == JsonSerializer.Serialize(state, DefaultModel.Json);

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

        public ScoreSheet Score(StoredModel stored, IEnumerable<Adjustment> adjustments) => Scorer.Score(
            stored.Model, Profile, SinceKeys.Of(Since, stored.ScoreName), Activities, adjustments.ToArray(), Now);
    }
}

/// <summary>How a lead keeps since when a rule has held: by rule id, and for scores besides <c>default</c> with their name before it.</summary>
internal static class SinceKeys
{
    public static string Key(string scoreName, string ruleId) => scoreName == ModelStore.DefaultScore ? ruleId : $"{scoreName}/{ruleId}";

    /// <summary>Those of one score, by rule id.</summary>
    public static IReadOnlyDictionary<string, DateTimeOffset> Of(IReadOnlyDictionary<string, DateTimeOffset> all, string scoreName)
    {
        var prefix = $"{scoreName}/";
        return scoreName == ModelStore.DefaultScore
            ? all
            : all.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
                .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);
    }
}
