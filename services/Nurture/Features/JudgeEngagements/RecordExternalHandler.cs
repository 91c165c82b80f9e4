using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Engagements;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.JudgeEngagements;

/// <summary>
/// Mail of other systems, told by Segment's e-mail events in any order. One mail is one <c>email_id</c> of one lead; without an id, the
/// subject or campaign stands in. An opening or a click proves delivery; a sending alone does not.
/// </summary>
internal sealed class RecordExternalHandler(IOptions<NurtureOptions> options)
{
    public async Task Record(Transaction<NurtureDbContext> tx, LeadRow lead, IEnumerable<ActivityInfo> activities)
    {
        foreach (var activity in activities)
        {
            if (ExternalEmail.FactOf(activity.Name) is { } fact
                && ExternalId(activity) is { } externalId
                && !await IsKnown(tx, activity.ActivityId))
            {
                await Record(tx, lead, activity, fact, externalId);
            }
        }
    }

    private async Task Record(
        Transaction<NurtureDbContext> tx, LeadRow lead, ActivityInfo activity, ExternalEmailFact fact, string externalId)
    {
        var subject = lead.EraseTime is null ? Text(activity, "email_subject") ?? Text(activity, "subject") : null;
        var message = await Message(tx, lead.LeadId, externalId, subject, activity.Time);
        var isFirstSent = fact == ExternalEmailFact.Sent && message.Attempts == 0;
        message.Attempts += isFirstSent ? 1 : 0;
        var (kind, isUnique) = Apply(message, fact, activity.Time);
        var verdict = kind is EngagementKind.Open or EngagementKind.Click
            ? Judge(activity, kind.Value) : new Verdict(Classification.Human, "TOLD");
        if (verdict.Classification != Classification.Human)
        {
            isUnique = false;
        }
        else if (kind == EngagementKind.Open)
        {
            message.OpenTime = Earliest(message.OpenTime, activity.Time);
        }
        else if (kind == EngagementKind.Click)
        {
            message.ClickTime = Earliest(message.ClickTime, activity.Time);
        }

        message.Version++;
        if (isFirstSent)
        {
            tx.Publish(new EmailSent(
                tx.NewId(), tx.WorkspaceId, activity.Time, message.Version, message.Id, lead.LeadId, null, null, message.Subject ?? ""));
        }

        if (kind is { } happened)
        {
            await Engage(tx, message, activity, happened, verdict, isUnique);
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update message set subject = @Subject, send_time = @SendTime, deliver_time = @DeliverTime, bounce_time = @BounceTime,
              open_time = @OpenTime, click_time = @ClickTime, unsubscribe_time = @UnsubscribeTime, state = @State, attempts = @Attempts, version = @Version
            where workspace_id = @WorkspaceId and id = @Id
            """,
            message,
            cancellationToken: tx.CancellationToken));
        if (fact is ExternalEmailFact.Unsubscribed or ExternalEmailFact.Bounced && lead.Email is { } address)
        {
            await Suppressions.Add(tx, address, fact == ExternalEmailFact.Bounced ? "BOUNCED" : "UNSUBSCRIBED");
        }
    }

    /// <summary>What the fact changes on the mail, and the engagement that it is.</summary>
    private static (EngagementKind? Kind, bool IsUnique) Apply(MessageRow message, ExternalEmailFact fact, DateTimeOffset time)
    {
        message.SendTime = Earliest(message.SendTime, time);
        switch (fact)
        {
            case ExternalEmailFact.Delivered:
                message.DeliverTime = Earliest(message.DeliverTime, time);
                return (null, false);
            case ExternalEmailFact.Opened:
                message.DeliverTime = Earliest(message.DeliverTime, time);
                return (EngagementKind.Open, message.OpenTime is null);
            case ExternalEmailFact.Clicked:
                message.DeliverTime = Earliest(message.DeliverTime, time);
                return (EngagementKind.Click, message.ClickTime is null);
            case ExternalEmailFact.Unsubscribed:
                var isFirst = message.UnsubscribeTime is null;
                message.UnsubscribeTime = Earliest(message.UnsubscribeTime, time);
                return (EngagementKind.Unsubscribe, isFirst);
            case ExternalEmailFact.Bounced:
                var isBounce = message.BounceTime is null;
                (message.BounceTime, message.State) = (Earliest(message.BounceTime, time), MessageRow.Bounced);
                return (EngagementKind.Bounce, isBounce);
            default:
                return (null, false);
        }
    }

    /// <summary>Another system tells machines apart by itself or not at all; what it says of the client is judged by our lists.</summary>
    private Verdict Judge(ActivityInfo activity, EngagementKind kind)
    {
        if (Text(activity, "userAgent") is not { } userAgent)
        {
            return new(Classification.Human, "TOLD");
        }

        var hit = new Hit(kind, activity.Time, "GET", userAgent, null, null, false);
        return EngagementClassifier.Classify(
            hit, DateTimeOffset.MinValue, [], 0, new(TimeSpan.Zero, TimeSpan.FromSeconds(options.Value.EngagementHoldSeconds)));
    }

    private static async Task Engage(
        Transaction<NurtureDbContext> tx, MessageRow message, ActivityInfo activity, EngagementKind kind, Verdict verdict, bool isUnique)
    {
        var (name, classification) = (kind.ToString().ToUpperInvariant(), verdict.Classification.ToString().ToUpperInvariant());
        var url = Text(activity, "link_url");
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into engagement (workspace_id, id, message_id, kind, time, method, url, honeypot, classification, reason)
            values (@workspace, @id, @message, @name, @time, '', @url, false, @classification, @reason)
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = activity.ActivityId,
                message = message.Id,
                name,
                time = activity.Time.UtcDateTime,
                url,
                classification,
                reason = verdict.Reason,
            },
            cancellationToken: tx.CancellationToken));
        tx.Publish(new EmailEngaged(
            tx.NewId(), tx.WorkspaceId, activity.Time, message.Version,
            activity.ActivityId, message.Id, message.LeadId, null, name, classification, url, isUnique));
    }

    private static async Task<MessageRow> Message(
        Transaction<NurtureDbContext> tx, Guid leadId, string externalId, string? subject, DateTimeOffset time) =>
        await tx.Connection.QuerySingleAsync<MessageRow>(new CommandDefinition(
            """
            insert into message (workspace_id, id, lead_id, external_id, state, subject, attempts, links, create_time, version)
            values (@workspace, @id, @leadId, @externalId, 'SENT', @subject, 0, '{}', @time, 0)
            on conflict (workspace_id, lead_id, external_id) where external_id is not null
            do update set subject = coalesce(message.subject, excluded.subject)
            returning *
            """,
            new { workspace = tx.WorkspaceId, id = tx.NewId(), leadId, externalId, subject, time = time.UtcDateTime },
            cancellationToken: tx.CancellationToken));

    private static async Task<bool> IsKnown(Transaction<NurtureDbContext> tx, Guid activityId) =>
        await tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select exists (select 1 from engagement where workspace_id = @workspace and id = @activityId)",
            new { workspace = tx.WorkspaceId, activityId },
            cancellationToken: tx.CancellationToken));

    private static string? ExternalId(ActivityInfo activity)
    {
        var id = Text(activity, "email_id") ?? Text(activity, "emailId") ?? Text(activity, "campaign_id")
            ?? Text(activity, "email_subject") ?? Text(activity, "campaign");
        return id is { Length: > 200 } ? id[..200] : id;
    }

    private static string? Text(ActivityInfo activity, string name) =>
        activity.Properties.TryGetValue(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String when value.GetString() is { Length: > 0 } text => text,
                JsonValueKind.Number => value.GetRawText(),
                JsonValueKind.Object when value.TryGetProperty("name", out var inner) && inner.ValueKind == JsonValueKind.String =>
                    inner.GetString(),
                _ => null,
            }
            : null;

    private static DateTimeOffset Earliest(DateTimeOffset? known, DateTimeOffset time) =>
        known < time ? known.Value : time.ToUniversalTime();
}
