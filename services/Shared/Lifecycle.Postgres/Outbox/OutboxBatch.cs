using Dapper;
using Lifecycle.Postgres.Model;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lifecycle.Postgres.Outbox;

/// <summary>Where a test may make the relay die.</summary>
internal enum KillPoint
{
    BeforePublish,
    AfterPublish,
    AfterDelete,
}

/// <summary>The broker did not take a message for a reason that is not the message's own.</summary>
internal sealed class BrokerUnavailableException(string message, Exception? inner) : Exception(message, inner);

/// <summary>
/// Publishes what is due, a batch at a time. Rows of one ordering key go one after another, and a later one never overtakes an earlier one
/// that failed; everything else goes at once. A row is deleted only after the broker confirmed it: a crash between the two publishes it
/// again, with the same message id.
/// </summary>
internal sealed partial class OutboxBatch(
    Func<OutboxRow, CancellationToken, Task> publish, OutboxOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Set by tests only.</summary>
    public Action<KillPoint>? AtKillPoint { get; init; }

    /// <summary>Publishes one batch over the connection that holds the relay's lock.</summary>
    /// <returns>Rows read: as many as the batch size when there may be more.</returns>
    /// <exception cref="BrokerUnavailableException">
    /// The broker is out of reach; what it confirmed before is deleted, no attempt is counted.
    /// </exception>
    public async Task<int> Publish(NpgsqlConnection connection, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var rows = (await connection.QueryAsync<OutboxRow>(new CommandDefinition(
            """
            select seq, message_id, type, body, headers, ordering_key, attempts, not_before, parked, created_at from outbox o
            where not parked and (not_before is null or not_before <= @now)
              and (ordering_key is null or not exists (
                select 1 from outbox earlier
                where earlier.ordering_key = o.ordering_key and earlier.seq < o.seq and earlier.not_before > @now and not earlier.parked))
            order by seq limit @size
            """,
            new { now, size = options.BatchSize }, cancellationToken: ct))).AsList();
        if (rows.Count == 0)
        {
            return 0;
        }

        AtKillPoint?.Invoke(KillPoint.BeforePublish);
        // Each line is one ordering key; a row without a key is a line of its own.
        var lines = rows.GroupBy(row => row.OrderingKey ?? $"\0{row.Seq}", StringComparer.Ordinal).Select(line => line.ToArray()).ToArray();
        using var slots = new SemaphoreSlim(options.ConcurrentPublishes);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var outcomes = await Task.WhenAll(lines.Select(line => PublishLine(line, slots, stop)));
        AtKillPoint?.Invoke(KillPoint.AfterPublish);
        await Delete(connection, outcomes.SelectMany(outcome => outcome.Published).ToArray());
        AtKillPoint?.Invoke(KillPoint.AfterDelete);
        await HoldBack(connection, outcomes.Select(outcome => outcome.Failed).OfType<FailedRow>().ToArray(), now);
        ct.ThrowIfCancellationRequested();
        return outcomes.FirstOrDefault(outcome => outcome.Outage is not null).Outage is { } outage ? throw outage : rows.Count;
    }

    /// <summary>The first to find the broker away stops the others: each would only wait for its own time-out.</summary>
    private async Task<LineOutcome> PublishLine(OutboxRow[] line, SemaphoreSlim slots, CancellationTokenSource stop)
    {
        var ct = stop.Token;
        var published = new List<long>(line.Length);
        foreach (var row in line)
        {
            try
            {
                await slots.WaitAsync(ct);
                try
                {
                    await publish(row, ct);
                }
                finally
                {
                    slots.Release();
                }

                published.Add(row.Seq);
                OutboxTelemetry.Published.Add(1, new KeyValuePair<string, object?>("event", row.Type));
            }
            catch (BrokerUnavailableException outage)
            {
                await stop.CancelAsync();
                return new(published, null, outage);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return new(published, null, null);
            }
            catch (Exception exception)
            {
                return new(published, new(row, exception), null);
            }
        }

        return new(published, null, null);
    }

    /// <summary>Not cancelled by a shutdown: what the broker has confirmed need not be published again.</summary>
    private static async Task Delete(NpgsqlConnection connection, long[] published)
    {
        if (published.Length > 0)
        {
            await connection.ExecuteAsync("delete from outbox where seq = any(@published)", new { published });
        }
    }

    private async Task HoldBack(NpgsqlConnection connection, FailedRow[] failed, DateTimeOffset now)
    {
        foreach (var (row, exception) in failed)
        {
            var attempts = row.Attempts + 1;
            var park = attempts >= options.MaxAttempts;
            var wait = Backoff.Delay(
                attempts, TimeSpan.FromSeconds(options.FirstRetrySeconds), TimeSpan.FromSeconds(options.LastRetrySeconds));
            await connection.ExecuteAsync(
                "update outbox set attempts = @attempts, not_before = @notBefore, parked = @park where seq = @seq",
                new { attempts, notBefore = now + wait, park, seq = row.Seq });
            if (park)
            {
                OutboxTelemetry.Parked.Add(1, new KeyValuePair<string, object?>("event", row.Type));
                LogParked(exception, row.Type, row.MessageId, attempts);
            }
            else
            {
                LogHeldBack(exception, row.Type, row.MessageId, attempts, wait);
            }
        }
    }

    [LoggerMessage(2111, LogLevel.Warning, "Event {Type} {MessageId} was not published at attempt {Attempt}; next in {Wait}")]
    private partial void LogHeldBack(Exception exception, string type, Guid messageId, int attempt, TimeSpan wait);

    [LoggerMessage(
        2112, LogLevel.Error, "Event {Type} {MessageId} is parked in the outbox after {Attempts} attempts and waits for an operator")]
    private partial void LogParked(Exception exception, string type, Guid messageId, int attempts);

    private readonly record struct LineOutcome(List<long> Published, FailedRow? Failed, BrokerUnavailableException? Outage);

    private sealed record FailedRow(OutboxRow Row, Exception Exception);
}
