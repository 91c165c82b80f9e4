using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.TakeFeedback;

/// <summary>One report about one recipient.</summary>
/// <param name="MessageId">Our mail, by its Message-ID; null where none is named or it is not one of ours.</param>
/// <param name="Email">Normalized recipient; null where unknown.</param>
internal sealed record Feedback(FeedbackKind Kind, Guid? MessageId, string? Email, string Status, string Detail, DateTimeOffset Time);

/// <summary>What became of a report.</summary>
/// <param name="MarkedLead">The lead whose mail was marked by it; null where none was.</param>
internal sealed record FeedbackResult(Guid? MessageId, string? Email, bool IsApplied, bool IsSuppressed, Guid? MarkedLead);

/// <summary>
/// Acts on bounces and complaints. Only a Message-ID names the mail: by the address alone nobody knows which of several mails is meant, and
/// the address is suppressed without marking any. A mail bounces once and is complained of once, however often that is told.
/// </summary>
internal static class TakeFeedbackHandler
{
    private static readonly TimeSpan SoftBounceMemory = TimeSpan.FromDays(30);

    public static async Task<FeedbackResult> Take(Transaction<NurtureDbContext> tx, Feedback feedback)
    {
        var message = feedback.MessageId is { } id ? await Lock(tx, id) : null;
        // The address that was mailed: a report of a forwarded mail names another.
        var email = message?.ToAddress ?? feedback.Email;
        var isNew = message is not null && await Mark(tx, message, feedback);
        var suppresses = feedback.Kind is FeedbackKind.HardBounce or FeedbackKind.Complaint || (feedback.Kind == FeedbackKind.SoftBounce
            && message is not null && await HasTooManySoftBounces(tx, message.LeadId));
        var isSuppressed = email is not null && suppresses
            && await Suppressions.Add(tx, email, feedback.Kind == FeedbackKind.Complaint ? "COMPLAINED" : "BOUNCED");
        return new(message?.Id, email, isNew || isSuppressed, email is not null && suppresses, isNew ? message!.LeadId : null);
    }

    /// <summary>The mail's id in a Message-ID; null for one that is not ours.</summary>
    public static Guid? IdOf(string? messageId) =>
        messageId?.Trim().Trim('<', '>').Split('@', 2) is [var local, _] && Guid.TryParseExact(local, "D", out var id) ? id : null;

    private static async Task<MessageRow?> Lock(Transaction<NurtureDbContext> tx, Guid id) =>
        await tx.Connection.QuerySingleOrDefaultAsync<MessageRow>(new CommandDefinition(
            "select * from message where workspace_id = @workspace and id = @id and external_id is null for update",
            new { workspace = tx.WorkspaceId, id },
            cancellationToken: tx.CancellationToken));

    /// <summary>Marks the mail and tells of it. False where that was told before.</summary>
    private static async Task<bool> Mark(Transaction<NurtureDbContext> tx, MessageRow message, Feedback feedback)
    {
        var isKnown = feedback.Kind switch
        {
            FeedbackKind.Complaint => message.ComplainTime is not null,
            FeedbackKind.Reply => await HasReply(tx, message.Id),
            _ => message.BounceTime is not null,
        };
        if (isKnown)
        {
            return false;
        }

        var activity = tx.NewId();
        var (kind, reason) = feedback.Kind switch
        {
            FeedbackKind.Complaint => ("COMPLAINT", "REPORTED"),
            FeedbackKind.Reply => ("REPLY", "ANSWERED"),
            FeedbackKind.HardBounce => ("BOUNCE", $"HARD {feedback.Status}".TrimEnd()),
            _ => ("BOUNCE", $"SOFT {feedback.Status}".TrimEnd()),
        };
        // A mail that bounced was not delivered, though our server took it; one that is complained of was.
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            feedback.Kind switch
            {
                FeedbackKind.Complaint =>
                    "update message set complain_time = @time, version = version + 1 where workspace_id = @workspace and id = @id",
                FeedbackKind.Reply => "update message set version = version + 1 where workspace_id = @workspace and id = @id",
                _ => """
                    update message set bounce_time = @time, deliver_time = null, due_time = null, state = 'BOUNCED', version = version + 1,
                      detail = case when to_address is null then null else @detail end
                    where workspace_id = @workspace and id = @id
                    """,
            },
            new { workspace = tx.WorkspaceId, id = message.Id, time = feedback.Time.UtcDateTime, detail = Detail(feedback) },
            cancellationToken: tx.CancellationToken));
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into engagement (workspace_id, id, message_id, kind, time, method, honeypot, classification, reason)
            values (@workspace, @activity, @message, @kind, @time, '', false, 'HUMAN', @reason)
            """,
            new { workspace = tx.WorkspaceId, activity, message = message.Id, kind, time = feedback.Time.UtcDateTime, reason },
            cancellationToken: tx.CancellationToken));
        tx.Publish(new EmailEngaged(
            tx.NewId(), tx.WorkspaceId, feedback.Time, message.Version + 1,
            activity, message.Id, message.LeadId, message.ProgramId, kind, "HUMAN", null, true));
        if (feedback.Kind == FeedbackKind.Reply)
        {
            await Reopenings.Engaged(tx, message.LeadId, feedback.Time);
        }

        return true;
    }

    private static Task<bool> HasReply(Transaction<NurtureDbContext> tx, Guid messageId) =>
        tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select exists (select 1 from engagement where workspace_id = @workspace and message_id = @messageId and kind = 'REPLY')",
            new { workspace = tx.WorkspaceId, messageId },
            cancellationToken: tx.CancellationToken));

    private static string Detail(Feedback feedback) =>
        feedback.Detail.Contains(feedback.Status, StringComparison.Ordinal) ? feedback.Detail : $"{feedback.Status} {feedback.Detail}";

    private static async Task<bool> HasTooManySoftBounces(Transaction<NurtureDbContext> tx, Guid leadId)
    {
        var limit = (await MailRoutes.Settings(tx)).SoftBounceLimit;
        return await tx.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
            """
            select count(*) from message m join engagement e on e.workspace_id = m.workspace_id and e.message_id = m.id
            where m.workspace_id = @workspace and m.lead_id = @leadId and e.kind = 'BOUNCE' and e.reason like 'SOFT%' and e.time > @since
            """,
            new { workspace = tx.WorkspaceId, leadId, since = tx.Now - SoftBounceMemory },
            cancellationToken: tx.CancellationToken)) >= limit;
    }
}
