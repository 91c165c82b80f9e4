using Dapper;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.ReclassifyChannels;

/// <summary>Assigns channels anew to rows of spend, and tells the other services of those that changed.</summary>
internal static class SpendReclassifier
{
    /// <summary>Rows of one event.</summary>
    private const int MaxRows = 500;

    /// <summary>The run after one batch; null when no row is left.</summary>
    public static async Task<StoredReclassification?> Step(
        Transaction<CaptureDbContext> tx, StoredReclassification run, ChannelClassifier channels, int limit)
    {
        // As imports do: the versions of events follow each other.
        await tx.Connection.ExecuteAsync(
            "select pg_advisory_xact_lock(hashtextextended('capture.spend/' || @id, 0))", new { id = tx.WorkspaceId.ToString() });
        var rows = (await tx.Connection.QueryAsync<SpendRow>(
            """
            select id, date, channel, source, medium, campaign, keyword, currency_code, amount, impressions, clicks, version from spend
            where workspace_id = @workspace and date >= @date and (date, id) > (@date, @id) order by date, id limit @limit
            """,
            new
            {
                workspace = tx.WorkspaceId,
                date = DateOnly.FromDateTime((run.CursorTime ?? DateTimeOffset.UnixEpoch).UtcDateTime),
                id = run.CursorId ?? Guid.Empty,
                limit = Math.Min(limit, MaxRows),
            })).ToArray();
        if (rows.Length == 0)
        {
            return null;
        }

        var changed = rows.Select(
            row => (Row: row, Channel: channels.Classify(new ChannelFacts(row.Source, row.Medium, row.Campaign, row.Keyword))))
            .Where(item => item.Channel != item.Row.Channel).ToArray();
        if (changed.Length > 0)
        {
            var version = Math.Max(tx.Now.UtcTicks / TimeSpan.TicksPerMicrosecond, changed.Max(item => item.Row.Version) + 1);
            await tx.Connection.ExecuteAsync(
                """
                update spend s set channel = n.channel, version = @version
                from unnest(@dates, @ids, @channels) as n(date, id, channel)
                where s.workspace_id = @workspace and s.date = n.date and s.id = n.id
                """,
                new
                {
                    workspace = tx.WorkspaceId,
                    version,
                    dates = changed.Select(item => item.Row.Date).ToArray(),
                    ids = changed.Select(item => item.Row.Id).ToArray(),
                    channels = changed.Select(item => item.Channel).ToArray(),
                });
            tx.Publish(new SpendRecorded(
                tx.NewId(), tx.WorkspaceId, tx.Now, version, changed.Select(item => item.Row.ToInfo(item.Channel)).ToArray()));
        }

        var last = rows[^1];
        return run.After(rows.Length, new(last.Date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero), last.Id) with
        {
            ChangedSpend = run.ChangedSpend + changed.Length
        };
    }
}
