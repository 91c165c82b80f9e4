using System.Text.Json;
using Lifecycle.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Postgres.Outbox;

internal static class OutboxWriter
{
    /// <summary>Adds one statement that writes all events of a transaction, in the order in which they were published.</summary>
    public static void Add<TContext>(NpgsqlBatch batch, IReadOnlyList<Transaction<TContext>.PendingEvent> events, DateTimeOffset now)
        where TContext : LifecycleDbContext
    {
        var command = new NpgsqlBatchCommand(
            """
            insert into outbox (message_id, type, body, headers, ordering_key, attempts, parked, created_at)
            select message_id, type, body, headers, ordering_key, 0, false, $6
            from unnest($1, $2, $3, $4, $5) with ordinality as e(message_id, type, body, headers, ordering_key, position)
            order by position
            """);
        command.Parameters.Add(Column(NpgsqlDbType.Uuid, events.Select(e => e.Event.EventId).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Text, events.Select(e => e.Event.GetType().Name).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Jsonb, events.Select(e => e.Body).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Jsonb, events.Select(e => Headers(e.Event, e.TraceParent)).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Text, events.Select(e => OrderingKey(e.Event)).ToArray()));
        command.Parameters.Add(new NpgsqlParameter { Value = now, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        batch.BatchCommands.Add(command);
    }

    /// <summary>Scoped by workspace: one workspace's trouble holds up no other's events.</summary>
    private static string? OrderingKey(ILifecycleEvent e) => e.OrderingKey is { } key ? $"{e.WorkspaceId}:{key}" : null;

    private static string Headers(ILifecycleEvent e, string? traceParent) =>
        JsonSerializer.Serialize(new OutboxHeaders(e.WorkspaceId, traceParent, Broker: true), OutboxHeaders.Json);

    private static NpgsqlParameter Column(NpgsqlDbType type, Array values) =>
        new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}

/// <summary>What travels beside the body.</summary>
/// <param name="Workspace">Workspace of the event.</param>
/// <param name="Traceparent">W3C trace context of the transaction that published it.</param>
/// <param name="Broker">The body is as the broker gets it; not so in rows of earlier releases.</param>
internal sealed record OutboxHeaders(Guid Workspace, string? Traceparent, bool Broker = false)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
}
