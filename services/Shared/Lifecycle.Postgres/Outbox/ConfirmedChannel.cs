using System.Diagnostics.CodeAnalysis;
using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Lifecycle.Postgres.Outbox;

/// <summary>The broker refused a message, the connection being well.</summary>
internal sealed class MessageRefusedException(string message) : Exception(message);

/// <summary>
/// A connection to the broker with one channel, on which it confirms what was sent. Never mended: what is broken is closed and opened anew.
/// Calls that send follow one another.
/// </summary>
internal sealed class ConfirmedChannel : IAsyncDisposable
{
    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly Dictionary<ulong, TaskCompletionSource> pending = [];
    private readonly HashSet<string> declared = new(StringComparer.Ordinal);
    private readonly IConnection connection;
    private readonly IChannel channel;
    private Exception? broken;
    private ulong sent;
    private ulong confirmed;

    private ConfirmedChannel(IConnection connection, IChannel channel)
    {
        (this.connection, this.channel) = (connection, channel);
        channel.BasicAcksAsync += (_, ack) => Done(ack.DeliveryTag, ack.Multiple, null);
        channel.BasicNacksAsync += (_, nack) => Done(
            nack.DeliveryTag, nack.Multiple, new MessageRefusedException("The broker refused the message: a queue could not take it."));
        channel.ChannelShutdownAsync += (_, shutdown) => Break(Reason(shutdown));
    }

    public bool IsOpen => broken is null && connection.IsOpen && channel.IsOpen;

    /// <exception cref="BrokerUnavailableException">The broker is out of reach.</exception>
    public static async Task<ConfirmedChannel> Open(RabbitMqHostSettings settings, CancellationToken ct)
    {
        try
        {
            var factory = settings.GetConnectionFactory();
            factory.AutomaticRecoveryEnabled = false;
            factory.ClientProvidedName = settings.ClientProvidedName;
            var connection = await factory.CreateConnectionAsync(ct);
            try
            {
                // Counting confirmations by itself the client would await each with a source, a header and a semaphore of its own.
                var confirms = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false);
                return new(connection, await connection.CreateChannelAsync(confirms, ct));
            }
            catch
            {
                await connection.AbortAsync(LongestClose);
                throw;
            }
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            throw new BrokerUnavailableException(exception.Message, exception);
        }
    }

    /// <summary>
    /// Makes sure that the event's exchange is there, as MassTransit declares it. On a channel of its own, which a refusal closes.
    /// </summary>
    public async Task Declare(string exchange, CancellationToken ct)
    {
        if (!declared.Contains(exchange))
        {
            await using var own = await connection.CreateChannelAsync(cancellationToken: ct);
            await own.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: ct);
            declared.Add(exchange);
        }
    }

    /// <summary>Sends a message to an exchange. After an exception the channel is of no use any more.</summary>
    /// <param name="exchange">Exchange, declared before.</param>
    /// <param name="properties">Its properties.</param>
    /// <param name="body">Copied before the method's task ends.</param>
    /// <param name="confirmation">
    /// Ends when the broker has confirmed it; <see cref="MessageRefusedException"/>, or <see cref="BrokerUnavailableException"/>.
    /// </param>
    public ValueTask Send(string exchange, BasicProperties properties, ReadOnlyMemory<byte> body, out Task confirmation)
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        confirmation = source.Task;
        lock (gate)
        {
            if (broken is not null)
            {
                source.SetException(broken);
                return ValueTask.CompletedTask;
            }

            pending.Add(++sent, source);
        }

        return channel.BasicPublishAsync(exchange, "", mandatory: false, properties, body, CancellationToken.None);
    }

    /// <summary>Closes it without waiting for what is not confirmed.</summary>
    public async ValueTask DisposeAsync()
    {
        await Break(new BrokerUnavailableException("The connection to the broker was closed.", null));
        await Quietly(connection.AbortAsync(LongestClose).WaitAsync(LongestClose));
        await Quietly(connection.DisposeAsync().AsTask().WaitAsync(LongestClose));
    }

    [SuppressMessage("Design", "CA1031", Justification = "A connection that is given up may fail as it likes.")]
    private static async Task Quietly(Task closing)
    {
        try
        {
            await closing;
        }
        catch (Exception)
        {
            // It is given up.
        }
    }

    /// <summary>Codes by which the broker closes a channel alone speak of what was sent on it.</summary>
    private static Exception Reason(ShutdownEventArgs shutdown) =>
        shutdown is
        {
            Initiator: ShutdownInitiator.Peer,
            ReplyCode: Constants.AccessRefused or Constants.NotFound or Constants.PreconditionFailed,
        }
            ? new MessageRefusedException($"The broker closed the channel: {shutdown.ReplyText}")
            : new BrokerUnavailableException($"The connection to the broker was lost: {shutdown.ReplyText}", null);

    private Task Done(ulong tag, bool multiple, Exception? fault)
    {
        lock (gate)
        {
            if (multiple)
            {
                while (confirmed < tag)
                {
                    End(++confirmed, fault);
                }
            }
            else
            {
                End(tag, fault);
            }
        }

        return Task.CompletedTask;
    }

    private void End(ulong tag, Exception? fault)
    {
        if (pending.Remove(tag, out var source))
        {
            _ = fault is null ? source.TrySetResult() : source.TrySetException(fault);
        }
    }

    private Task Break(Exception reason)
    {
        lock (gate)
        {
            broken ??= reason;
            foreach (var source in pending.Values)
            {
                source.TrySetException(broken);
            }

            pending.Clear();
        }

        return Task.CompletedTask;
    }
}
