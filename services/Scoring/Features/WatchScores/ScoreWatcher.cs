using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.V1;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Features.WatchScores;

/// <summary>Streams scores as they change on any replica. What a slow reader has not seen yet is told once, as it is by then.</summary>
public sealed class ScoreWatcher(ScoreFeed feed, ScoreReader reader, IOptions<ScoringOptions> options, TimeProvider time)
{
    private const int PageSize = 500;

    public async Task Watch(
        Guid workspaceId, IReadOnlySet<Guid> leadIds, double? minTotal, IServerStreamWriter<WatchScoresResponse> stream,
        CancellationToken ct)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var watch = feed.Begin(id, workspaceId, leadIds).OrThrow();
        try
        {
            // The first message says that the watch has begun: what changes from here on is told.
            await Beat();
            while (true)
            {
                var changed = (await watch.Next(TimeSpan.FromSeconds(options.Value.WatchHeartbeatSeconds), ct)).OrThrow();
                var told = 0;
                foreach (var page in changed.Chunk(PageSize))
                {
                    foreach (var score in (await reader.ReadStored(workspaceId, page, ct)).Where(score => !(score.Total < minTotal)))
                    {
                        await stream.WriteAsync(new() { Score = score, Time = Timestamp.FromDateTimeOffset(time.GetUtcNow()) }, ct);
                        told++;
                    }
                }

                if (told == 0)
                {
                    await Beat();
                }
            }
        }
        finally
        {
            feed.End(id);
        }

        Task Beat() => stream.WriteAsync(new() { Time = Timestamp.FromDateTimeOffset(time.GetUtcNow()) }, ct);
    }
}
