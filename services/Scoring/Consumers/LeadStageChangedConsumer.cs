using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Consumers;

/// <summary>
/// Conversion moved a lead. Handed back, it counts as qualified no more, and only what it does afterwards qualifies it again; from SQL on
/// its score decides nothing.
/// </summary>
public sealed class LeadStageChangedConsumer(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
    : EventConsumer<LeadStageChanged, ScoringDbContext>(work)
{
    private static readonly string[] Returns = ["RECYCLED", "LOST", "REOPENED"];

    protected override async Task Handle(Transaction<ScoringDbContext> tx, LeadStageChanged e)
    {
        var row = (await LeadStore.Lock(tx, [e.LeadId]))[e.LeadId];
        var time = ProfileWriter.Microseconds(e.OccurredAt);
        if (e.To == Stage.Customer.Name() && (row.CustomerTime is null || time < row.CustomerTime))
        {
            row.CustomerTime = time;
        }

        await OutcomeStore.Take(tx, row, e, time);
        if (row.LeadId == e.LeadId && e.Version > row.StageVersion)
        {
            (row.Stage, row.StageVersion) = (e.To, e.Version);
            if (e.To == Stage.Lead.Name() && Returns.Contains(e.Reason))
            {
                if (row.Qualified)
                {
                    row.Version++;
                }

                (row.Qualified, row.Returned) = (false, true);
                row.DecidedUntil = row.DecidedUntil > time ? row.DecidedUntil : time;
            }
        }

        await keeper.Score(tx, [row], _ => time);
    }
}
