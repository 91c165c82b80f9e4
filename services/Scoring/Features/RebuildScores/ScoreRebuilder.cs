using Lifecycle.Kernel;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.RebuildScores;

/// <summary>Restores the live scores on demand. Doing it again is harmless, so no request id is kept.</summary>
public sealed class ScoreRebuilder(LiveProjector projector)
{
    public async Task<Result<RebuildScoresResponse>> Rebuild(Guid workspaceId, CancellationToken ct) =>
        await projector.Restore(workspaceId, ct) is { } done
            ? new RebuildScoresResponse { Leads = done.Written, Removed = done.Removed }
            : Error.Unavailable("Redis is out of reach, or was emptied meanwhile; scores are read from Postgres until it is back.");
}
