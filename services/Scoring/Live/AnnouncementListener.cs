using Lifecycle.Scoring.Jobs;
using Npgsql;

namespace Lifecycle.Scoring.Live;

/// <summary>Hears from Postgres, on a connection of its own, which scores changed on any replica.</summary>
public sealed partial class AnnouncementListener(
    NpgsqlDataSource dataSource, ScoreFeed feed, LiveProjector projector, JobScheduler jobs, TimeProvider time,
    ILogger<AnnouncementListener> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // A connection that died without a word is noticed by then.
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Listen(stoppingToken);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                LogLost(fault.GetBaseException().Message);
                await Task.Delay(Pause, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task Listen(CancellationToken ct)
    {
        await using var connection = await dataSource.OpenConnectionAsync(ct);
        connection.Notification += (_, notification) =>
        {
            if (ScoreAnnouncement.Parse(notification.Payload) is { } announcement)
            {
                projector.Changed(announcement.WorkspaceId);
                jobs.Changed(announcement.WorkspaceId);
                feed.Announce(announcement);
            }
        };
        await using (var listen = new NpgsqlCommand($"listen {ScoreAnnouncement.Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }

        // What was announced meanwhile was not heard.
        projector.Sweep();
        jobs.LookEverywhere();
        feed.RingAll();
        while (true)
        {
            if (!await connection.WaitAsync(Probe, ct))
            {
                await using var probe = new NpgsqlCommand("select 1", connection);
                await probe.ExecuteNonQueryAsync(ct);
            }
        }
    }

    [LoggerMessage(4231, LogLevel.Warning, "Announcements of scores are not heard for a moment: {Reason}")]
    private partial void LogLost(string reason);
}
