using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.WatchHandoffs;

/// <summary>Warns of hand-offs that are still open at their deadline, once each.</summary>
public sealed class WatchHandoffs(UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options)
{
    /// <summary>Warns of all that are past their deadline in the workspace, batch by batch. Replicas share the work by row locks.</summary>
    public async Task Handle(Guid workspaceId, CancellationToken ct)
    {
        var batch = options.Value.HandoffBatch;
        var warned = batch;
        while (warned == batch)
        {
            await work.Run(workspaceId, async tx => warned = await Warn(tx, batch), ct);
        }
    }

    /// <summary>A hand-off that is being answered at this moment is passed over: it is answered then, or comes up in the next
    /// round.</summary>
    private static async Task<int> Warn(Transaction<ConversionDbContext> tx, int batch)
    {
        var overdue = (await tx.Connection.QueryAsync<Overdue>(new CommandDefinition(
            """
            update handoff h set overdue_time = @now
            from (select id from handoff where workspace_id = @workspace and state = 'OPEN' and due_time <= @now and overdue_time is null
                  order by due_time limit @batch for update skip locked) due
            where h.workspace_id = @workspace and h.id = due.id
            returning h.id, h.lead_id, h.owner, h.team_id, h.create_time, h.due_time
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, batch },
            cancellationToken: tx.CancellationToken))).AsList();
        foreach (var handoff in overdue)
        {
            tx.Publish(new HandoffOverdue(
                tx.NewId(), tx.WorkspaceId, handoff.DueTime, 1, handoff.Id, handoff.LeadId, handoff.Owner, handoff.TeamId,
                    handoff.CreateTime,
                handoff.DueTime));
        }

        return overdue.Count;
    }

    private sealed class Overdue
    {
        public Guid Id { get; init; }

        public Guid LeadId { get; init; }

        public string? Owner { get; init; }

        public Guid? TeamId { get; init; }

        public DateTimeOffset CreateTime { get; init; }

        public DateTimeOffset DueTime { get; init; }
    }
}
