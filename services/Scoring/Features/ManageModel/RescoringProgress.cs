using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ManageModel;

/// <summary>Tells how many leads are scored by the models in force; the leads' rows say it, so that it is right after any crash.</summary>
public sealed class RescoringProgress(UnitOfWork<ScoringDbContext> work, ModelStore models)
{
    public Task<Rescoring> Get(Guid workspaceId, CancellationToken ct) => work.Read(workspaceId, async tx =>
    {
        var set = await models.InForce(tx);
        // Through (workspace_id, generation) alone.
        var counts = await tx.Connection.QuerySingleAsync<CountRow>(new CommandDefinition(
            """
            select count(*) total, count(*) filter (where generation >= @Generation) done from lead
            where workspace_id = @WorkspaceId and state is not null
            """,
            new { tx.WorkspaceId, set.Generation },
            cancellationToken: ct));
        return new Rescoring
        {
            TotalLeads = counts.Total,
            RescoredLeads = counts.Done,
            Done = counts.Done == counts.Total,
            ModelVersion = set.Default.Model.Version,
            StartTime = set.Default.CreateTime is { } time ? Timestamp.FromDateTimeOffset(time) : null,
        };
    }, ct);

    private sealed class CountRow
    {
        public long Total { get; init; }

        public long Done { get; init; }
    }
}
