using System.Diagnostics;
using System.Text.Json;
using Lifecycle.Postgres.Model;
using MassTransit;

namespace Lifecycle.Postgres.Outbox;

/// <summary>
/// Publishes an outbox row through MassTransit, confirmed by the broker, as part of the trace of the transaction that wrote it.
/// </summary>
internal sealed class BrokerPublisher(IBusControl bus, OutboxOptions options, TimeProvider time)
{
    /// <exception cref="BrokerUnavailableException">The broker is out of reach, or gave no answer in time.</exception>
    public async Task Publish(OutboxRow row, CancellationToken ct)
    {
        var message = EventTypes.Deserialize(row.Type, row.Body);
        var headers = JsonSerializer.Deserialize<OutboxHeaders>(row.Headers, OutboxHeaders.Json);
        ActivityContext.TryParse(headers?.Traceparent, null, isRemote: true, out var parent);
        using var activity = OutboxTelemetry.Source.StartActivity($"outbox {row.Type}", ActivityKind.Internal, parent);
        activity?.SetTag("messaging.message.id", row.MessageId);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(TimeSpan.FromSeconds(options.PublishTimeoutSeconds));
        try
        {
            await bus.Publish(message, message.GetType(), context => context.MessageId = row.MessageId, deadline.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new BrokerUnavailableException($"No confirmation within {options.PublishTimeoutSeconds} s.", null);
        }
        catch (Exception exception) when (exception is ConnectionException or TransportUnavailableException
            || bus.CheckHealth().Status != BusHealthStatus.Healthy)
        {
            throw new BrokerUnavailableException(exception.Message, exception);
        }

        OutboxTelemetry.Age.Record((time.GetUtcNow() - row.CreatedAt).TotalSeconds, new KeyValuePair<string, object?>("event", row.Type));
    }
}
