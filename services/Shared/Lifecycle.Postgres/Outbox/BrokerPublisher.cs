using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Lifecycle.Postgres.Model;
using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Lifecycle.Postgres.Outbox;

/// <summary>
/// Publishes outbox rows as MassTransit would, over a connection of the relay's own: confirmed by the broker, as part of the trace of the
/// transaction that wrote them.
/// </summary>
internal sealed class BrokerPublisher(IBus bus, RabbitMqHostSettings broker, OutboxOptions options, TimeProvider time) : IAsyncDisposable
{
    private readonly TimeSpan timeout = TimeSpan.FromSeconds(options.PublishTimeoutSeconds);
    private readonly ConcurrentDictionary<Type, EventRoute> routes = [];
    private readonly SemaphoreSlim turn = new(1);
    private ConfirmedChannel? channel;
    private EventEnvelope envelope = new(bus, time);

    /// <exception cref="BrokerUnavailableException">The broker is out of reach, or gave no answer in time.</exception>
    public async Task Publish(OutboxRow row, CancellationToken ct)
    {
        var type = EventTypes.Find(row.Type) ?? throw new EventNotKnownException(row.Type);
        var headers = JsonSerializer.Deserialize<OutboxHeaders>(row.Headers, OutboxHeaders.Json);
        var body = headers is { Broker: true } ? row.Body : EventTypes.Serialize(EventTypes.Deserialize(row.Type, row.Body));
        var route = routes.GetOrAdd(type, EventRoute.Of, bus.Topology);
        using var activity = Begin(row, route, headers?.Traceparent);
        try
        {
            var (used, confirmation) = await Send(row, route, body, activity?.Id ?? headers?.Traceparent, ct);
            await InTime(confirmation, used, ct);
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            throw;
        }

        OutboxTelemetry.Age.Record((time.GetUtcNow() - row.CreatedAt).TotalSeconds, new KeyValuePair<string, object?>("event", row.Type));
    }

    public async ValueTask DisposeAsync()
    {
        if (channel is not null)
        {
            await channel.DisposeAsync();
        }

        turn.Dispose();
    }

    private static Activity? Begin(OutboxRow row, EventRoute route, string? traceParent)
    {
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent);
        var activity = OutboxTelemetry.Source.StartActivity($"outbox {row.Type}", ActivityKind.Producer, parent);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("messaging.message.id", row.MessageId);
            activity.SetTag("messaging.system", "rabbitmq");
            activity.SetTag("messaging.operation", "send");
            activity.SetTag("messaging.destination.name", route.Exchange);
        }

        return activity;
    }

    private async Task<(ConfirmedChannel Used, Task Confirmation)> Send(
        OutboxRow row, EventRoute route, string body, string? trace, CancellationToken ct)
    {
        var id = row.MessageId.ToString();
        var properties = new BasicProperties
        {
            ContentType = EventEnvelope.ContentType,
            DeliveryMode = DeliveryModes.Persistent,
            MessageId = id,
            CorrelationId = id,
            Headers = trace is null ? null : new Dictionary<string, object?> { ["MT-Activity-Id"] = trace },
        };
        await turn.WaitAsync(ct);
        try
        {
            var open = channel is { IsOpen: true } ? channel : await Open(ct);
            await InTime(open.Declare(route.Exchange, ct), open, ct);
            var sending = open.Send(route.Exchange, properties, envelope.Write(row, route, body, trace), out var confirmation);
            if (!sending.IsCompletedSuccessfully)
            {
                await Sent(sending.AsTask(), open, ct);
            }

            return (open, confirmation);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<ConfirmedChannel> Open(CancellationToken ct)
    {
        GiveUp(channel);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(timeout);
        try
        {
            return channel = await ConfirmedChannel.Open(broker, deadline.Token);
        }
        catch (OperationCanceledException exception) when (!ct.IsCancellationRequested)
        {
            throw new BrokerUnavailableException($"No connection within {options.PublishTimeoutSeconds} s.", exception);
        }
    }

    /// <summary>What is half sent would be told apart from the next by nobody: then the channel is given up.</summary>
    private async Task Sent(Task sending, ConfirmedChannel used, CancellationToken ct)
    {
        try
        {
            await InTime(sending, used, ct);
        }
        catch (Exception)
        {
            GiveUp(used);
            throw;
        }
    }

    private async Task InTime(Task answer, ConfirmedChannel used, CancellationToken ct)
    {
        try
        {
            await (answer.IsCompleted ? answer : answer.WaitAsync(timeout, time, ct));
        }
        catch (TimeoutException)
        {
            GiveUp(used);
            throw new BrokerUnavailableException($"No confirmation within {options.PublishTimeoutSeconds} s.", null);
        }
        catch (Exception exception) when (exception is AlreadyClosedException or IOException
            || (exception is RabbitMQClientException && !used.IsOpen))
        {
            throw new BrokerUnavailableException(exception.Message, exception);
        }
    }

    /// <summary>Its envelope's buffer goes with it: a message that waits to be sent may still be read from there.</summary>
    private void GiveUp(ConfirmedChannel? used)
    {
        if (used is not null && Interlocked.CompareExchange(ref channel, null, used) == used)
        {
            envelope = new(bus, time);
            _ = used.DisposeAsync().AsTask();
        }
    }
}
