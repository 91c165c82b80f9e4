using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>
/// Hands queued mails to the mail server. A mail is claimed (SENDING) and committed first, handed over, and then marked (SENT) with its
/// event in one transaction.
/// </summary>
/// <remarks>
/// Between the server's acceptance and the commit of SENT lies the one moment that nobody can close: a process killed there leaves a mail
/// that was sent and is not marked. Its lease runs out and it is sent again with the same Message-ID, by which receivers and readers of
/// logs can tell the copies.
/// </remarks>
internal sealed partial class SendMailsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    ClaimMailsHandler claims,
    MailTransport transport,
    IOptions<NurtureOptions> options,
    TimeProvider time,
    NurtureTelemetry telemetry,
    JudgeLeadHandler segments,
    ILogger<SendMailsHandler> logger) : IMailWork
{
    private static readonly TimeSpan LongestRetry = TimeSpan.FromHours(1);

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var claim = await claims.Claim(workspaceId, ct);
        await Parallel.ForEachAsync(
            claim.Mails,
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.SmtpConnections, CancellationToken = ct },
            async (mail, _) => await Send(workspaceId, mail));
        return claim.Taken >= options.Value.SendBatchSize;
    }

    private async Task Send(Guid workspaceId, ClaimedMail mail)
    {
        if (time.GetUtcNow() + TimeSpan.FromSeconds(options.Value.SmtpTimeoutSeconds) > mail.LeaseEnd)
        {
            // Its turn came too late: sending it now, another worker could be sending it too.
            await unitOfWork.Run(workspaceId, tx => GiveBack(tx, mail), CancellationToken.None);
            return;
        }

        var start = time.GetTimestamp();
        // A conversation under way is ended in its own time (SmtpTimeoutSeconds): cut off, nobody would know whether the mail was taken.
        var result = await transport.Send(mail.Content, mail.Relay, CancellationToken.None);
        telemetry.SendDuration.Record(time.GetElapsedTime(start).TotalSeconds);
        // What the server took must be marked, also while the process is being stopped.
        await unitOfWork.Run(workspaceId, tx => Mark(tx, mail, result), CancellationToken.None);
        if (result.Outcome != SendOutcome.Accepted)
        {
            LogNotSent(mail.Id, result.Outcome, mail.Attempt, result.Detail);
        }
    }

    private async Task Mark(Transaction<NurtureDbContext> tx, ClaimedMail mail, SendResult result)
    {
        switch (result.Outcome)
        {
            case SendOutcome.Accepted:
                if (await Set(tx, mail.Id, MessageRow.Sent, null) is { } sent)
                {
                    tx.Publish(new EmailSent(
                        tx.NewId(), tx.WorkspaceId, tx.Now, sent.Version, mail.Id, sent.LeadId, mail.ProgramId, mail.StepId, mail.Content.Subject));
                    await segments.MailChanged(tx, false, sent.LeadId);
                    telemetry.MailsSent.Add(1);
                }

                break;
            case SendOutcome.RecipientRefused:
                if (await Set(tx, mail.Id, MessageRow.Bounced, result.Detail) is { } bounced)
                {
                    await Bounce(tx, mail, bounced);
                    await segments.MailChanged(tx, false, bounced.LeadId);
                    telemetry.MailsFailed.Add(1, new KeyValuePair<string, object?>("outcome", MessageRow.Bounced));
                }

                break;
            case SendOutcome.Deferred when mail.Attempt < options.Value.SendAttempts:
                await Defer(tx, mail, result.Detail);
                telemetry.MailsDeferred.Add(1);
                break;
            default:
                await Set(tx, mail.Id, MessageRow.Failed, result.Detail);
                telemetry.MailsFailed.Add(1, new KeyValuePair<string, object?>("outcome", MessageRow.Failed));
                break;
        }
    }

    /// <summary>Ends the sending. Null when another worker has ended it already.</summary>
    private static async Task<MarkedMail?> Set(Transaction<NurtureDbContext> tx, Guid id, string state, string? detail) =>
        await tx.Connection.QuerySingleOrDefaultAsync<MarkedMail>(new CommandDefinition(
            """
            update message set state = @state, detail = @detail, due_time = null, version = version + 1,
              send_time = case when @state = 'FAILED' then null else @now end,
              deliver_time = case when @state = 'SENT' then @now end,
              bounce_time = case when @state = 'BOUNCED' then @now end
            where workspace_id = @workspace and id = @id and state = 'SENDING'
            returning lead_id, version
            """,
            new { workspace = tx.WorkspaceId, id, state, detail, now = tx.Now },
            cancellationToken: tx.CancellationToken));

    private static async Task Bounce(Transaction<NurtureDbContext> tx, ClaimedMail mail, MarkedMail marked)
    {
        var activity = tx.NewId();
        await Suppressions.Add(tx, mail.Content.ToAddress, "BOUNCED");
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into engagement (workspace_id, id, message_id, kind, time, method, honeypot, classification, reason)
            values (@workspace, @activity, @id, 'BOUNCE', @now, '', false, 'HUMAN', 'MAIL_SERVER')
            """,
            new { workspace = tx.WorkspaceId, activity, id = mail.Id, now = tx.Now },
            cancellationToken: tx.CancellationToken));
        tx.Publish(new EmailEngaged(
            tx.NewId(), tx.WorkspaceId, tx.Now, marked.Version, activity, mail.Id, marked.LeadId, mail.ProgramId, "BOUNCE", "HUMAN", null, true));
    }

    private async Task Defer(Transaction<NurtureDbContext> tx, ClaimedMail mail, string detail)
    {
        var pause = RetryDelay.After(
            mail.Attempt, TimeSpan.FromSeconds(options.Value.SendRetrySeconds), LongestRetry, Random.Shared.NextDouble());
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update message set state = 'PENDING', detail = @detail, due_time = @due, slot_time = null
            where workspace_id = @workspace and id = @id and state = 'SENDING'
            """,
            new { workspace = tx.WorkspaceId, id = mail.Id, detail, due = tx.Now + pause },
            cancellationToken: tx.CancellationToken));
    }

    private static Task<int> GiveBack(Transaction<NurtureDbContext> tx, ClaimedMail mail) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update message set state = 'PENDING', due_time = @now, attempts = attempts - 1
            where workspace_id = @workspace and id = @id and state = 'SENDING' and attempts = @attempt
            """,
            new { workspace = tx.WorkspaceId, id = mail.Id, attempt = mail.Attempt, now = tx.Now },
            cancellationToken: tx.CancellationToken));

    [LoggerMessage(4201, LogLevel.Warning, "Mail {MessageId} {Outcome} at attempt {Attempt}: {Reason}")]
    private partial void LogNotSent(Guid messageId, SendOutcome outcome, int attempt, string reason);

    private sealed record MarkedMail(Guid LeadId, long Version);
}

/// <summary>A mail in the making.</summary>
internal sealed record ClaimedMail(
    Guid Id, Guid? ProgramId, string? StepId, int Attempt, DateTimeOffset LeaseEnd, MailContent Content, SmtpAddress? Relay);
