using System.Text.Json;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Storage;

public sealed partial class ScoreKeeper
{
    /// <summary>Takes activities of locked leads, each once, and scores the leads that have new ones.</summary>
    /// <param name="tx">The transaction that holds the rows' locks; facts need not have been read.</param>
    /// <param name="came">Activities by lead, each once, at least one of each lead; none of erased leads.</param>
    public async Task Record(Transaction<ScoringDbContext> tx, IReadOnlyCollection<(LeadRow Row, List<Activity> Activities)> came)
    {
        if (came.Count == 0)
        {
            return;
        }

        var set = await models.InForce(tx);
        var news = await ActivityStore.Add(
            tx, [.. came.Select(lead => (lead.Row.LeadId, ProgressOf(tx, set, lead.Row), lead.Activities))], set.Default.Model);
        var rows = came.Select(lead => lead.Row).Where(row => news.ContainsKey(row.LeadId)).ToArray();
        if (rows.Length > 0)
        {
            if (set.Default.Model.ReadsProfile)
            {
                await LeadStore.ReadFacts(tx, rows);
            }

            await Score(tx, set, rows, row => news[row.LeadId].Until, newModel: false, news, settle: false, factsChanged: false);
        }
    }

    private ScoreProgress? ProgressOf(Transaction<ScoringDbContext> tx, ModelSet set, LeadRow row) =>
        !set.HasNamed && row is { Adjustments: 0, State: not null } && row.Generation == set.Generation
            ? memory.Take(tx.WorkspaceId, row, set.Default.Model)
            : null;

    /// <summary>
    /// Scores leads of which it is known how far they are, where all that is new comes after that, and nothing is decided by it.
    /// </summary>
    /// <returns>Those leads.</returns>
    private HashSet<Guid> Advance(
        Transaction<ScoringDbContext> tx, StoredModel stored, IReadOnlyCollection<LeadRow> rows, Dictionary<Guid, LeadNews> news,
        List<LedgerChange> changes)
    {
        var advanced = new HashSet<Guid>();
        var model = stored.Model;
        foreach (var row in rows)
        {
            var (_, until, added, progress) = news[row.LeadId];
            if (progress is null || added[0].Time <= progress.LastFact)
            {
                continue;
            }

            var profile = model.ReadsProfile && row.Profile is { } text
                ? JsonSerializer.Deserialize<LeadProfile>(text, DefaultModel.Json)
                : null;
            if (progress.Advance(added, profile, row.CreateTime, StandingOf(row)) is not var (given, due))
            {
                continue;
            }

            if (given.Count > 0)
            {
                var state = progress.State;
                (row.State, row.Version) = (JsonSerializer.Serialize(state, DefaultModel.Json), row.Version + 1);
                tx.Publish(ScoreChanged(tx, row, model, state, until > state.At ? until : state.At));
            }

            (row.DueTime, row.ChangeTime) = (due, tx.Now);
            changes.Add(new(row.LeadId, stored.ScoreName, model.Version, given, []));
            memory.Keep(tx.WorkspaceId, row, progress);
            advanced.Add(row.LeadId);
        }

        return advanced;
    }

    private static Standing StandingOf(LeadRow row) => new(row.Qualified, row.DecidedUntil, row.Returned, IsMarketings(row.Stage));

    /// <summary>From SQL on the lead is in sales' hands; ruled out or gone it is in nobody's.</summary>
    private static bool IsMarketings(string? stage) =>
        !StageNames.TryParse(stage, out var known) || known is Stage.Visitor or Stage.Lead or Stage.Mql;
}
