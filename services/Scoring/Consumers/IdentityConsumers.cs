using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Consumers;

/// <summary>Two leads proved to be one: what the source did counts for the target from now on.</summary>
public sealed class LeadsMergedConsumer(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
    : EventConsumer<LeadsMerged, ScoringDbContext>(work)
{
    protected override async Task Handle(Transaction<ScoringDbContext> tx, LeadsMerged e)
    {
        var rows = await LeadStore.Lock(tx, [e.SourceLeadId, e.TargetLeadId]);
        var (source, target) = (rows[e.SourceLeadId], rows[e.TargetLeadId]);
        if (source.LeadId == target.LeadId || source.LeadId != e.SourceLeadId)
        {
            // Merged before, in whatever order the merges came.
            return;
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            target.EraseTime is null
                ? """
                  update activity set lead_id = @target where workspace_id = @WorkspaceId and lead_id = @source;
                  update adjustment set lead_id = @target where workspace_id = @WorkspaceId and lead_id = @source;
                  update transition set lead_id = @target where workspace_id = @WorkspaceId and lead_id = @source;
                  delete from ledger where workspace_id = @WorkspaceId and lead_id = @source;
                  """
                : """
                  delete from activity where workspace_id = @WorkspaceId and lead_id = @source;
                  update adjustment set lead_id = @target, reason = '' where workspace_id = @WorkspaceId and lead_id = @source;
                  update transition set lead_id = @target, reasons = '[]', recent = '[]', changes = '[]' where workspace_id = @WorkspaceId and lead_id = @source;
                  delete from ledger where workspace_id = @WorkspaceId and lead_id = @source;
                  """,
            new { tx.WorkspaceId, source = source.LeadId, target = target.LeadId },
            cancellationToken: tx.CancellationToken));
        await OutcomeStore.Merge(tx, source.LeadId, target.LeadId);
        target.CustomerTime = target.CustomerTime < source.CustomerTime ? target.CustomerTime : source.CustomerTime ?? target.CustomerTime;
        (target.Adjustments, source.Adjustments) = (target.Adjustments + source.Adjustments, 0);
        (source.CompanyKey, source.CompanyName) = (null, null);
        (source.MergedInto, source.Profile, source.State, source.Since) = (target.LeadId, null, null, "{}");
        (source.Qualified, source.DueTime, source.NextTime, source.Version) = (false, null, null, source.Version + 1);
        var time = ProfileWriter.Microseconds(e.OccurredAt);
        await keeper.Score(tx, [source, target], _ => time);
    }
}

/// <summary>
/// The person asked to be forgotten: profile, activities and words of evidence go; points, times and the first touch stay for the counts,
/// and name nobody.
/// </summary>
public sealed class LeadErasedConsumer(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
    : EventConsumer<LeadErased, ScoringDbContext>(work)
{
    protected override async Task Handle(Transaction<ScoringDbContext> tx, LeadErased e)
    {
        var row = (await LeadStore.Lock(tx, [e.LeadId]))[e.LeadId];
        if (row.EraseTime is not null)
        {
            await PersonErasure.Confirm(tx, e, "scoring", new Dictionary<string, long>());
            return;
        }

        var counts = await PersonErasure.Run(
            tx,
            [
                ("outcomes", "delete from outcome where workspace_id = @WorkspaceId and lead_id = @LeadId"),
                ("activities", "delete from activity where workspace_id = @WorkspaceId and lead_id = @LeadId"),
                ("ledger",
                    "update ledger set evidence = '{}' where workspace_id = @WorkspaceId and lead_id = @LeadId and evidence <> '{}'"),
                ("transitions",
                    """
                    update transition set reasons = '[]', recent = '[]', changes = '[]' where workspace_id = @WorkspaceId and lead_id = @LeadId
                        and (reasons <> '[]' or recent <> '[]' or changes <> '[]')
                    """),
                ("adjustments",
                    "update adjustment set reason = '' where workspace_id = @WorkspaceId and lead_id = @LeadId and reason <> ''"),
            ],
            new { tx.WorkspaceId, row.LeadId });
        counts["profiles"] = row.Profile is null ? 0 : 1;
        (row.EraseTime, row.Profile, row.State, row.Since) = (ProfileWriter.Microseconds(e.OccurredAt), null, null, "{}");
        (row.Qualified, row.DueTime, row.NextTime, row.Version) = (false, null, null, row.Version + 1);
        (row.CompanyKey, row.CompanyName) = (null, null);
        await keeper.Score(tx, [row], _ => row.EraseTime.Value);
        await PersonErasure.Confirm(tx, e, "scoring", counts);
    }
}
