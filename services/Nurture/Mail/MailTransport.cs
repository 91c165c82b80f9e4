using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Authentication;
using Lifecycle.Nurture.Domain.Emails;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Mail;

/// <summary>Hands mails to the mail server over a few kept connections.</summary>
internal sealed class MailTransport(SmtpAddress address, IOptions<NurtureOptions> options, TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentBag<(SmtpConnection Connection, DateTimeOffset Since)> idle = [];
    private readonly SemaphoreSlim places = new(options.Value.SmtpConnections);

    /// <summary>
    /// Hands one mail over. Whatever prevents it is a result, never an exception; after a lost reply to the mail's last line nobody knows
    /// whether the server took it, and it counts as deferred.
    /// </summary>
    public async Task<SendResult> Send(MailContent mail, CancellationToken ct)
    {
        await places.WaitAsync(ct);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(TimeSpan.FromSeconds(options.Value.SmtpTimeoutSeconds));
        try
        {
            var connection = await Take(deadline.Token);
            try
            {
                return await connection.Send(mail, time.GetUtcNow(), deadline.Token);
            }
            finally
            {
                await Return(connection);
            }
        }
        catch (Exception fault) when (fault is IOException or SocketException or AuthenticationException)
        {
            return new(SendOutcome.Deferred, $"The mail server is out of reach: {fault.Message}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(SendOutcome.Deferred, $"The mail server did not answer within {options.Value.SmtpTimeoutSeconds} s.");
        }
        finally
        {
            places.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (idle.TryTake(out var kept))
        {
            await kept.Connection.DisposeAsync();
        }

        places.Dispose();
    }

    /// <summary>Servers hang up on idle clients: a connection is used again only while it is young.</summary>
    private async Task<SmtpConnection> Take(CancellationToken ct)
    {
        while (idle.TryTake(out var kept))
        {
            if (time.GetUtcNow() - kept.Since < TimeSpan.FromSeconds(options.Value.SmtpIdleSeconds))
            {
                return kept.Connection;
            }

            await kept.Connection.DisposeAsync();
        }

        return await SmtpConnection.Open(address, options.Value.MailDomain, ct);
    }

    private ValueTask Return(SmtpConnection connection)
    {
        if (!connection.IsUsable)
        {
            return connection.DisposeAsync();
        }

        idle.Add((connection, time.GetUtcNow()));
        return ValueTask.CompletedTask;
    }
}
