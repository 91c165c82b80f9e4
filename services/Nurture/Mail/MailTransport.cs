using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Webhooks;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Mail;

/// <summary>Hands mails to mail servers, over a few kept connections to each.</summary>
internal sealed class MailTransport(
    SmtpAddress own, IOptions<NurtureOptions> options, IOptions<WebhookOptions> webhooks, TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<SmtpAddress, Pool> pools = new();
    private readonly IReadOnlyList<IPNetwork> allowed = GuardedHttp.Networks(webhooks.Value.AllowedNetworks);

    /// <summary>
    /// Hands one mail over. Whatever prevents it is a result, never an exception; after a lost reply to the mail's last line nobody knows
    /// whether the server took it, and it counts as deferred.
    /// </summary>
    /// <param name="mail">The mail.</param>
    /// <param name="relay">Where; null: the process's mail server.</param>
    /// <param name="ct">Gives up.</param>
    public Task<SendResult> Send(MailContent mail, SmtpAddress? relay, CancellationToken ct) =>
        Talk(relay ?? own, (connection, deadline) => connection.Send(mail, time.GetUtcNow(), deadline), ct);

    /// <summary>Connects and logs in, and sends nothing.</summary>
    public Task<SendResult> Test(SmtpAddress? relay, CancellationToken ct) =>
        Talk(relay ?? own, (_, _) => Task.FromResult(new SendResult(SendOutcome.Accepted, "")), ct, fresh: true);

    public async ValueTask DisposeAsync()
    {
        foreach (var pool in pools.Values)
        {
            while (pool.Idle.TryTake(out var kept))
            {
                await kept.Connection.DisposeAsync();
            }

            pool.Places.Dispose();
        }
    }

    private async Task<SendResult> Talk(
        SmtpAddress address, Func<SmtpConnection, CancellationToken, Task<SendResult>> talk, CancellationToken ct, bool fresh = false)
    {
        var pool = pools.GetOrAdd(address, _ => new(new SemaphoreSlim(options.Value.SmtpConnections)));
        await pool.Places.WaitAsync(ct);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(TimeSpan.FromSeconds(options.Value.SmtpTimeoutSeconds));
        try
        {
            var connection = fresh ? await Open(address, deadline.Token) : await Take(pool, address, deadline.Token);
            try
            {
                return await talk(connection, deadline.Token);
            }
            finally
            {
                await Return(pool, connection);
            }
        }
        catch (Exception fault) when (fault is IOException or SocketException or AuthenticationException or PrivateAddressException)
        {
            return new(SendOutcome.Deferred, $"The mail server is out of reach: {fault.Message}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(SendOutcome.Deferred, $"The mail server did not answer within {options.Value.SmtpTimeoutSeconds} s.");
        }
        finally
        {
            pool.Places.Release();
        }
    }

    /// <summary>Servers hang up on idle clients: a connection is used again only while it is young.</summary>
    private async Task<SmtpConnection> Take(Pool pool, SmtpAddress address, CancellationToken ct)
    {
        while (pool.Idle.TryTake(out var kept))
        {
            if (time.GetUtcNow() - kept.Since < TimeSpan.FromSeconds(options.Value.SmtpIdleSeconds))
            {
                return kept.Connection;
            }

            await kept.Connection.DisposeAsync();
        }

        return await Open(address, ct);
    }

    private Task<SmtpConnection> Open(SmtpAddress address, CancellationToken ct) =>
        SmtpConnection.Open(address, options.Value.MailDomain, allowed, ct);

    private ValueTask Return(Pool pool, SmtpConnection connection)
    {
        if (!connection.IsUsable)
        {
            return connection.DisposeAsync();
        }

        pool.Idle.Add((connection, time.GetUtcNow()));
        return ValueTask.CompletedTask;
    }

    private sealed record Pool(SemaphoreSlim Places)
    {
        public ConcurrentBag<(SmtpConnection Connection, DateTimeOffset Since)> Idle { get; } = [];
    }
}
