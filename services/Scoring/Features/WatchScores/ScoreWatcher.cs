using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Features.WatchScores;

/// <summary>
/// Streams scores as they change on any replica, from the store: announcements only say when to look. So what a reader missed while it was
/// away is told when it comes back with its token, and what a slow reader has not seen yet is told once, as it is by then.
/// </summary>
public sealed class ScoreWatcher(
    UnitOfWork<ScoringDbContext> work, ScoreFeed feed, ScoreReader reader, IOptions<ScoringOptions> options, TimeProvider time)
{
    private const int MaxPending = 20_000;
    private const int PageSize = 500;
    private const string TokenPrefix = "s1-";

    public async Task Watch(
        Guid workspaceId, WatchScoresRequest request, string scoreName, IReadOnlySet<Guid> leadIds,
        IServerStreamWriter<WatchScoresResponse> stream, CancellationToken ct)
    {
        long? since = request.ResumeToken.Length == 0 ? null : Parse(request.ResumeToken).OrThrow();
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var watch = feed.Begin(id, workspaceId, leadIds).OrThrow();
        try
        {
            // What is there before the first look is told to those who resume; others see what changes from here on.
            var (horizon, rows) = await Look(since);
            if (since > horizon)
            {
                throw RpcErrors.ToException(Error.OutOfRange("The token is of another store; read the scores again and watch anew."));
            }

            var (tell, first, rang) = (since is not null, true, false);
            for (var told = new Dictionary<Guid, long>(); ; first = false)
            {
                if (rows.Count > MaxPending)
                {
                    throw RpcErrors.ToException(first
                        ? Error.OutOfRange($"More than {MaxPending} scores changed since; read the scores again and watch anew.")
                        : Error.Exhausted(
                            "The reader fell too far behind; read the scores again and watch anew.", TimeSpan.FromSeconds(1)));
                }

                var news = tell ? rows.Where(row => told.GetValueOrDefault(row.LeadId, -1) != row.Version).ToArray() : [];
                await Tell(news, Token(since ?? horizon));
                if (news.Length > 0 || !rang)
                {
                    // Says that everything up to the horizon was told, or that the watch has begun or goes on.
                    await stream.WriteAsync(
                        new() { Time = Timestamp.FromDateTimeOffset(time.GetUtcNow()), ResumeToken = Token(horizon) }, ct);
                }

                told = rows.Where(row => row.ChangeXid >= horizon).ToDictionary(row => row.LeadId, row => row.Version);
                rang = await watch.Wait(TimeSpan.FromSeconds(options.Value.WatchHeartbeatSeconds), ct);
                (since, tell) = (horizon, true);
                (horizon, rows) = await Look(since);
            }
        }
        finally
        {
            feed.End(id);
        }

        Task<(long Horizon, List<LiveRow> Rows)> Look(long? from) => work.Read(
            workspaceId, tx => ChangeStore.Since(tx, scoreName, from, leadIds, MaxPending + 1), ct);

        async Task Tell(IReadOnlyList<LiveRow> news, string token)
        {
            foreach (var page in news.Chunk(PageSize))
            {
                var scores = (await reader.Present(workspaceId, scoreName, page, ct)).ToDictionary(score => score.LeadId);
                foreach (var row in page)
                {
                    var now = Timestamp.FromDateTimeOffset(time.GetUtcNow());
                    if (!scores.TryGetValue(row.LeadId.ToString(), out var score))
                    {
                        await stream.WriteAsync(new() { RemovedLeadId = row.LeadId.ToString(), Time = now, ResumeToken = token }, ct);
                    }
                    else if (!request.HasMinTotal || score.Total >= request.MinTotal)
                    {
                        await stream.WriteAsync(new() { Score = score, Time = now, ResumeToken = token }, ct);
                    }
                }
            }
        }
    }

    private static string Token(long horizon) => $"{TokenPrefix}{horizon.ToString("x", CultureInfo.InvariantCulture)}";

    private static Result<long> Parse(string token) =>
        token.StartsWith(TokenPrefix, StringComparison.Ordinal)
            && long.TryParse(
                token.AsSpan(TokenPrefix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var horizon)
            && horizon >= 0
                ? horizon
                : Error.Invalid("resumeToken", "resumeToken is none that a watch gave.");
}
