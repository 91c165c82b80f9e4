using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Trial.Storage;

namespace Lifecycle.Trial;

/// <summary>Writes rows and publishes their events, one transaction for each request.</summary>
internal static class Moves
{
    public static async Task<IResult> Publish(
        Guid workspaceId, Guid leadId, long version, UnitOfWork<TrialDbContext> work, CancellationToken ct)
    {
        await work.Run(workspaceId, tx =>
        {
            tx.Db.Moves.Add(new Move { WorkspaceId = workspaceId, LeadId = leadId, Version = version });
            tx.Publish(new LeadStageChanged(
                tx.NewId(), workspaceId, tx.Now, version, leadId, "LEAD", "MQL", "QUALIFIED", "service:trial", null, null));
            return Task.CompletedTask;
        }, ct);
        return Results.Ok();
    }
}
