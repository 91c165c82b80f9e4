using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Live;

namespace Lifecycle.Scoring.Storage;

/// <summary>
/// Brings scores up to what profile, activities and model say, in the transaction that changed one of them: ledger, score, qualification
/// and their events. Scoring the same lead again changes nothing.
/// </summary>
public sealed class ScoreKeeper(ModelStore models, ScoringTelemetry telemetry)
{
    /// <summary>The model in force.</summary>
    public Task<StoredModel> Model(Transaction<ScoringDbContext> tx) => models.Current(tx);

    /// <summary>Scores locked leads anew, saves their rows and publishes what changed.</summary>
    /// <param name="tx">The transaction that holds the rows' locks.</param>
    /// <param name="rows">Leads; merged and erased ones are saved only.</param>
    /// <param name="cause">When what led to this happened, by lead: the events' time is never before it.</param>
    /// <param name="newModel">The model changed: leads may qualify as of the cause, not before.</param>
    public async Task Score(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows, Func<LeadRow, DateTimeOffset> cause, bool newModel = false)
    {
        var model = (await models.Current(tx)).Model;
        var ids = rows.Where(IsScored).Select(row => row.LeadId).ToArray();
        var activities = await LeadStore.Activities(tx, ids);
        var ledger = await LedgerStore.Read(tx, ids);
        var changes = new List<LedgerChange>();
        var transitions = new List<(Guid LeadId, Transition Transition)>();
        foreach (var row in rows.Where(IsScored))
        {
            var profile = row.Profile is null ? null : JsonSerializer.Deserialize<LeadProfile>(row.Profile, DefaultModel.Json);
            var since = JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(row.Since, DefaultModel.Json)!;
            var sheet = Scorer.Score(model, profile, since, activities[row.LeadId]);
            var change = LedgerChange.Between(row.LeadId, ledger[row.LeadId], sheet.Contributions);
            changes.Add(change);

            var time = cause(row);
            var standing = new Standing(row.Qualified, row.DecidedUntil, row.Returned, IsMarketings(row.Stage));
            if (newModel && !(standing.DecidedUntil >= time))
            {
                standing = standing with { DecidedUntil = time.AddMicroseconds(-1) };
            }

            var outcome = Qualifier.Walk(model, sheet, row.Profile is null ? null : row.CreateTime, standing, newModel ? time : null);
            transitions.AddRange(outcome.Transitions.Select(transition => (row.LeadId, transition)));
            var changed = change.Any || row.ModelVersion != model.Version || row.State is null;
            Apply(row, model, sheet.State, outcome, tx.Now);
            if (changed)
            {
                tx.Publish(ScoreChanged(tx, row, model, sheet.State, time > sheet.State.At ? time : sheet.State.At));
            }

            foreach (var transition in outcome.Transitions)
            {
                tx.Publish(Decided(tx, row, model, transition));
            }
        }

        await LedgerStore.Write(tx, model.Version, changes);
        await LedgerStore.AddTransitions(tx, model.Version, transitions);
        await LeadStore.Save(tx, rows);
        await Announce(tx, rows.Where(row => row.LiveVersion < row.Version).Select(row => row.LeadId));
        telemetry.Scored(rows.Count, changes.Sum(change => change.Written.Count), transitions.Count(entry => entry.Transition.Qualified));
    }

    /// <summary>Ends the qualification of a lead whose decay is due, as of the time it was due.</summary>
    public async Task Demote(Transaction<ScoringDbContext> tx, IReadOnlyCollection<LeadRow> rows)
    {
        var model = (await models.Current(tx)).Model;
        var transitions = new List<(Guid LeadId, Transition Transition)>();
        foreach (var row in rows)
        {
            var due = row.DueTime!.Value;
            var state = JsonSerializer.Deserialize<ScoreState>(row.State!, DefaultModel.Json)!;
            var transition = new Transition(false, due, state.PointsAt(due).Total, Decayed: true, []);
            transitions.Add((row.LeadId, transition));
            (row.Qualified, row.DecidedUntil, row.DueTime, row.ChangeTime) = (false, due, null, tx.Now);
            tx.Publish(Decided(tx, row, model, transition));
        }

        await LedgerStore.AddTransitions(tx, model.Version, transitions);
        await LeadStore.Save(tx, rows);
        await Announce(tx, rows.Select(row => row.LeadId));
        telemetry.Demoted(rows.Count);
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

    private static void Apply(LeadRow row, ScoringModel model, ScoreState state, QualifierOutcome outcome, DateTimeOffset now)
    {
        var json = JsonSerializer.Serialize(state, DefaultModel.Json);
        var (qualified, decided, returned) = (outcome.Standing.Qualified, outcome.Standing.DecidedUntil, outcome.Standing.Returned);
        if (row.State is null || row.Qualified != qualified || row.ModelVersion != model.Version || !SameState(row.State, state))
        {
            row.Version++;
        }

        (row.State, row.ModelVersion, row.ChangeTime, row.DueTime) = (json, model.Version, now, outcome.Due);
        (row.Qualified, row.DecidedUntil, row.Returned) = (qualified, decided, returned);
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
                transition.Reasons.Select(reason => new ReasonInfo(reason.RuleId, reason.Text, reason.Points, reason.Time)).ToArray())
            : new LeadDisqualified(
                tx.NewId(), tx.WorkspaceId, transition.Time, version, row.LeadId, transition.Score, transition.Decayed
                    ? "SCORE_DECAYED"
                    : "NEGATIVE_FIT");
    }
}
