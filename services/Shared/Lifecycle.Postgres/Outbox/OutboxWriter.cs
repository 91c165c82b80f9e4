using System.Text.Json;
using Lifecycle.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Postgres.Outbox;

internal static class OutboxWriter
{
    /// <summary>Writes all events of a transaction in one statement, in the order in which they were published.</summary>
    public static async Task Write<TContext>(
        NpgsqlConnection connection, IReadOnlyList<Transaction<TContext>.PendingEvent> events, DateTimeOffset now, CancellationToken ct)
        where TContext : LifecycleDbContext
    {
        await using var command = new NpgsqlCommand(
            """
            insert into outbox (message_id, type, body, headers, ordering_key, attempts, parked, created_at)
            select message_id, type, body, headers, ordering_key, 0, false, $6
            from unnest($1, $2, $3, $4, $5) with ordinality as e(message_id, type, body, headers, ordering_key, position)
            order by position
            """,
            connection);
        command.Parameters.Add(Column(NpgsqlDbType.Uuid, events.Select(e => e.Event.EventId).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Text, events.Select(e => e.Event.GetType().Name).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Jsonb, events.Select(e => EventTypes.Serialize(e.Event)).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Jsonb, events.Select(e => Headers(e.Event, e.TraceParent)).ToArray()));
        command.Parameters.Add(Column(NpgsqlDbType.Text, events.Select(e => OrderingKey(e.Event)).ToArray()));
        command.Parameters.Add(new NpgsqlParameter { Value = now, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Scoped by workspace: one workspace's trouble holds up no other's events.</summary>
    private static string? OrderingKey(ILifecycleEvent e) => e.OrderingKey is { } key ? $"{e.WorkspaceId}:{key}" : null;

    private static string Headers(ILifecycleEvent e, string? traceParent) =>
        JsonSerializer.Serialize(new OutboxHeaders(e.WorkspaceId, traceParent), OutboxHeaders.Json);

    private static NpgsqlParameter Column(NpgsqlDbType type, Array values) =>
        new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}

/// <summary>What travels beside the body.</summary>
/// <param name="Workspace">Workspace of the event.</param>
/// <param name="Traceparent">W3C trace context of the transaction that published it.</param>
internal sealed record OutboxHeaders(Guid Workspace, string? Traceparent)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
}
