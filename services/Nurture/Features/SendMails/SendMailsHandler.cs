using System.Collections.Concurrent;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Mail;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>
/// Hands queued mails to the mail server. A mail is claimed (SENDING) and committed first, handed over, and then marked (SENT) with its
/// event in one transaction. The next mails are claimed and made while these are sent; marks that wait at the same time share a commit.
/// </summary>
/// <remarks>
/// Between the server's acceptance and the commit of SENT lies the one moment that nobody can close: a process killed there leaves a mail
/// that was sent and is not marked. Its lease runs out and it is sent again with the same Message-ID, by which receivers and readers of
/// logs can tell the copies. A connection takes its next mail only after the mark of the last: it has one mail at most in that moment.
/// </remarks>
internal sealed partial class SendMailsHandler(
    ClaimMailsHandler claims,
    MarkMailsHandler marks,
    MailTransport transport,
    IOptions<NurtureOptions> options,
    TimeProvider time,
    NurtureTelemetry telemetry,
    ILogger<SendMailsHandler> logger) : IMailWork
{
    /// <summary>Claims in a row, each made while the one before is sent.</summary>
    private const int ClaimsPerBatch = 5;

    /// <summary>From its claim to the latest moment at which a mail may still be begun.</summary>
    private readonly TimeSpan patience = TimeSpan.FromSeconds(options.Value.SendLeaseSeconds - options.Value.SmtpTimeoutSeconds);

    /// <summary>
    /// Grows and shrinks with what the mail server takes in a small part of that time: the next claim waits for this one.
    /// </summary>
    private int claimSize = Math.Min(options.Value.SendBatchSize, 5 * options.Value.SmtpConnections);

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var group = new GroupCommit<HandedMail>(mails => marks.Mark(workspaceId, mails));
        var claim = await claims.Claim(workspaceId, claimSize, ct);
        for (var count = 1; ; count++)
        {
            var next = claim.IsFull && count < ClaimsPerBatch ? claims.Claim(workspaceId, claimSize, ct) : null;
            try
            {
                await Send(workspaceId, claim, group, ct);
            }
            catch when (next is not null)
            {
                await GiveBack(workspaceId, next);
                throw;
            }

            if (next is null)
            {
                return claim.IsFull;
            }

            claim = await next;
        }
    }

    /// <summary>Sends the mails over all connections. What is left when it is cancelled, or would come too late, is given back.</summary>
    private async Task Send(Guid workspaceId, Claim claim, GroupCommit<HandedMail> group, CancellationToken ct)
    {
        if (claim.Mails.Count == 0)
        {
            return;
        }

        var start = time.GetTimestamp();
        var (waiting, late) = (new ConcurrentQueue<ClaimedMail>(claim.Mails), new ConcurrentBag<ClaimedMail>());
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Math.Min(options.Value.SmtpConnections, claim.Mails.Count)).Select(_ => SendSome()));
        }
        finally
        {
            if (!waiting.IsEmpty || !late.IsEmpty)
            {
                await marks.GiveBack(workspaceId, [.. waiting, .. late]);
            }
        }

        ct.ThrowIfCancellationRequested();
        Resize(time.GetElapsedTime(start), claim.IsFull);

        async Task SendSome()
        {
            while (!ct.IsCancellationRequested && waiting.TryDequeue(out var mail))
            {
                if (time.GetUtcNow() + TimeSpan.FromSeconds(options.Value.SmtpTimeoutSeconds) > mail.LeaseEnd)
                {
                    // Its turn came too late: sending it now, another worker could be sending it too.
                    late.Add(mail);
                }
                else
                {
                    await Send(mail, group);
                }
            }
        }
    }

    private async Task Send(ClaimedMail mail, GroupCommit<HandedMail> group)
    {
        var start = time.GetTimestamp();
        // A conversation under way is ended in its own time (SmtpTimeoutSeconds): cut off, nobody would know whether the mail was taken.
        var result = await transport.Send(mail.Content, mail.Relay, CancellationToken.None);
        telemetry.SendDuration.Record(time.GetElapsedTime(start).TotalSeconds);
        await group.Add(new(mail, result));
        if (result.Outcome != SendOutcome.Accepted)
        {
            LogNotSent(mail.Id, result.Outcome, mail.Attempt, result.Detail);
        }
    }

    private async Task GiveBack(Guid workspaceId, Task<Claim> claim)
    {
        try
        {
            if (await claim is { Mails.Count: > 0 } claimed)
            {
                await marks.GiveBack(workspaceId, claimed.Mails);
            }
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // The failure that is on its way tells more; the lease sees to the mails.
            LogNotGivenBack(workspaceId, fault.GetBaseException().Message);
        }
        catch (OperationCanceledException)
        {
            // Nothing was claimed.
        }
    }

    private void Resize(TimeSpan elapsed, bool wasFull)
    {
        if (elapsed > patience / 8)
        {
            claimSize = Math.Max(claimSize / 2, Math.Min(options.Value.SmtpConnections, options.Value.SendBatchSize));
        }
        else if (elapsed < patience / 32 && wasFull)
        {
            claimSize = Math.Min(claimSize * 2, options.Value.SendBatchSize);
        }
    }

    [LoggerMessage(4201, LogLevel.Warning, "Mail {MessageId} {Outcome} at attempt {Attempt}: {Reason}")]
    private partial void LogNotSent(Guid messageId, SendOutcome outcome, int attempt, string reason);

    [LoggerMessage(4202, LogLevel.Warning, "Claimed mails of workspace {WorkspaceId} wait for their lease: {Reason}")]
    private partial void LogNotGivenBack(Guid workspaceId, string reason);
}

/// <summary>A mail in the making.</summary>
internal sealed record ClaimedMail(
    Guid Id, Guid? ProgramId, string? StepId, int Attempt, DateTimeOffset LeaseEnd, MailContent Content, SmtpAddress? Relay);
