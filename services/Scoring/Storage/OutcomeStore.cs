using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Scoring.Storage;

/// <summary>What became of leads, and what was known of each when that began.</summary>
internal static class OutcomeStore
{
    /// <summary>
    /// Notes that a lead came into sales' hands, was won or lost; of each the first time, in whatever order the events come. The profile is
    /// kept as it is at the first of them: what is learnt later may be the outcome's doing.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="row">The locked row that stands for the lead.</param>
    /// <param name="e">The event.</param>
    /// <param name="time">Its time as Postgres keeps it.</param>
    public static async Task Take(Transaction<ScoringDbContext> tx, LeadRow row, LeadStageChanged e, DateTimeOffset time)
    {
        var known = StageNames.TryParse(e.To, out var stage);
        var isSales = known && stage is Stage.Sql or Stage.Opportunity or Stage.Customer;
        var isWon = known && stage is Stage.Customer;
        var isLost = e.Reason == "LOST" || (known && stage is Stage.Disqualified);
        if (row.EraseTime is not null || !(isSales || isLost))
        {
            return;
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into outcome (workspace_id, lead_id, sales_time, won_time, lost_time, profile)
            values (@WorkspaceId, @LeadId, @sales, @won, @lost, @Profile::jsonb)
            on conflict (workspace_id, lead_id) do update set
                sales_time = least(outcome.sales_time, excluded.sales_time), won_time = least(outcome.won_time, excluded.won_time),
                lost_time = least(outcome.lost_time, excluded.lost_time), profile = coalesce(outcome.profile, excluded.profile)
            """,
            new
            {
                tx.WorkspaceId,
                row.LeadId,
                sales = isSales ? time : (DateTimeOffset?)null,
                won = isWon ? time : (DateTimeOffset?)null,
                lost = isLost ? time : (DateTimeOffset?)null,
                row.Profile,
            },
            cancellationToken: tx.CancellationToken));
    }

    /// <summary>The source's outcome counts for the target; the source has none any more.</summary>
    public static Task Merge(
        Transaction<ScoringDbContext> tx, Guid source, Guid target) => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        with moved as (delete from outcome where workspace_id = @WorkspaceId and lead_id = @source returning sales_time, won_time, lost_time, profile)
        insert into outcome (workspace_id, lead_id, sales_time, won_time, lost_time, profile)
        select @WorkspaceId, @target, sales_time, won_time, lost_time, profile from moved
        where not exists (select from lead where workspace_id = @WorkspaceId and lead_id = @target and erase_time is not null)
        on conflict (workspace_id, lead_id) do update set
            sales_time = least(outcome.sales_time, excluded.sales_time), won_time = least(outcome.won_time, excluded.won_time),
            lost_time = least(outcome.lost_time, excluded.lost_time), profile = coalesce(outcome.profile, excluded.profile)
        """,
        new { tx.WorkspaceId, source, target }, cancellationToken: tx.CancellationToken));
}
