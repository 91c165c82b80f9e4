using System.Text.Json;
using Dapper;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>What a worker took: mails to hand over, and whether more may be due.</summary>
internal sealed record Claim(IReadOnlyList<ClaimedMail> Mails, bool IsFull);

/// <summary>
/// Claims due mails and makes them ready, in one transaction: who must not be mailed is passed over here, at the last moment before the
/// sending. A claim holds for a lease; a mail whose worker died is claimed anew after it.
/// </summary>
internal sealed class ClaimMailsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork, MailRenderer renderer, MailLinks links, MailRoutes routes, IOptions<NurtureOptions> options,
    NurtureTelemetry telemetry)
{
    /// <summary>How often a mail looks again for the profile of its lead.</summary>
    private static readonly TimeSpan ProfilePoll = TimeSpan.FromSeconds(2);

    /// <summary>Characters of mails that one claim holds in memory; reached by large mails only. One mail is made in any case.</summary>
    private const int MostCharacters = 8_000_000;

    /// <param name="workspaceId">The workspace.</param>
    /// <param name="limit">Mails to look at.</param>
    /// <param name="ct">Cancels, and claims none.</param>
    public async Task<Claim> Claim(Guid workspaceId, int limit, CancellationToken ct)
    {
        var claim = new Claim([], false);
        await unitOfWork.Run(workspaceId, async tx => claim = await Claim(tx, limit), ct);
        return claim;
    }

    private async Task<Claim> Claim(Transaction<NurtureDbContext> tx, int limit)
    {
        var due = (await tx.Connection.QueryAsync<MessageRow>(new CommandDefinition(
            """
            select * from message where workspace_id = @workspace and state in ('PENDING', 'SENDING') and due_time <= @now
            order by due_time limit @limit for update skip locked
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, limit },
            cancellationToken: tx.CancellationToken))).AsList();
        if (due.Count == 0)
        {
            return new([], false);
        }

        var leads = await LeadStore.FindAll(tx, due.Select(message => message.LeadId).ToList());
        var route = await routes.Find(tx);
        var templateIds = due.Select(message => message.EmailId).OfType<Guid>().Distinct().ToList();
        var templates = await tx.Db.Emails.AsNoTracking()
            .Where(email => email.WorkspaceId == tx.WorkspaceId && templateIds.Contains(email.Id))
            .ToDictionaryAsync(email => email.Id, tx.CancellationToken);
        var suppressed = await Suppressions.Among(tx, leads.Values.Select(lead => lead.Email).OfType<string>().ToList());
        var free = new List<(MessageRow Message, LeadRow Lead)>();
        foreach (var message in due)
        {
            var lead = leads.GetValueOrDefault(message.LeadId);
            if (Obstacle(message, lead, suppressed, tx.Now) is { } obstacle)
            {
                obstacle.ApplyTo(message);
            }
            else
            {
                free.Add((message, lead!));
            }
        }

        await DomainPace.Take(tx, route, free.Select(one => (one.Message, one.Lead.Email!)));
        var (mails, characters) = (new List<ClaimedMail>(), 0);
        foreach (var (message, lead) in free)
        {
            if (characters > MostCharacters)
            {
                // It stays due.
                continue;
            }

            if (message.SlotTime > tx.Now)
            {
                new Delay(MessageRow.Pending, "WAITS_FOR_PACE", message.SlotTime).ApplyTo(message);
            }
            else if (Make(tx, route, message, lead, Template(message, templates)) is { } mail)
            {
                mails.Add(mail);
                characters += mail.Content.Html.Length + mail.Content.Text.Length;
            }
        }

        Write(tx, due);
        return new(mails, due.Count >= limit);
    }

    /// <summary>Why the mail is not sent now, or not at all; null where nothing is in its way.</summary>
    private Delay? Obstacle(MessageRow message, LeadRow? lead, IReadOnlySet<string> suppressed, DateTimeOffset now) => lead switch
    {
        { EraseTime: not null } => Skip("ERASED"),
        null or { ProfileVersion: 0 } when now - message.CreateTime < TimeSpan.FromSeconds(options.Value.ProfileWaitSeconds) =>
            new(MessageRow.Pending, "WAITS_FOR_PROFILE", now + ProfilePoll),
        null or { ProfileVersion: 0 } => Skip("NO_PROFILE"),
        { Email: null } => Skip("NO_ADDRESS"),
        _ when suppressed.Contains(lead.Email) => Skip("SUPPRESSED"),
        _ => null,
    };

    private Delay Skip(string reason)
    {
        telemetry.MailsFailed.Add(1, new KeyValuePair<string, object?>("outcome", MessageRow.Skipped));
        return new(MessageRow.Skipped, reason, null);
    }

    /// <summary>The template, or what came with the request in its place; null for a template that is gone.</summary>
    private static EmailRow? Template(MessageRow message, Dictionary<Guid, EmailRow> templates) => message switch
    {
        { EmailId: { } emailId } => templates.GetValueOrDefault(emailId),
        { Content: { } content } => RequestedTemplate.Of(message.WorkspaceId, JsonSerializer.Deserialize<RequestedContent>(content)!),
        _ => null,
    };

    private ClaimedMail? Make(Transaction<NurtureDbContext> tx, MailRoute route, MessageRow message, LeadRow lead, EmailRow? template)
    {
        var unsubscribeUrl = links.UnsubscribeUrl(tx.WorkspaceId, message.Id);
        if (template is null)
        {
            (message.State, message.Detail, message.DueTime) = (MessageRow.Failed, "The template is gone.", null);
            return null;
        }

        var more = message.Content is { } content ? JsonSerializer.Deserialize<RequestedContent>(content)!.Values : null;
        if (!renderer.Render(template, LeadStore.Facts(lead), unsubscribeUrl, more).TryGet(out var rendered, out var error)
            || !MailRenderer.Track(rendered, unsubscribeUrl, index => links.LinkUrl(tx.WorkspaceId, message.Id, index))
                .TryGet(out var marked, out error))
        {
            (message.State, message.Detail, message.DueTime) = (MessageRow.Failed, error.Message, null);
            return null;
        }

        var (tracked, trackedText) = marked;
        var html = TrackedHtml.AddMarks(
            tracked.Html, links.LinkUrl(tx.WorkspaceId, message.Id, EmailToken.Honeypot), links.PixelUrl(tx.WorkspaceId, message.Id));
        message.State = MessageRow.Sending;
        message.Detail = null;
        message.DueTime = tx.Now + TimeSpan.FromSeconds(options.Value.SendLeaseSeconds);
        message.Attempts++;
        (message.ToAddress, message.Subject, message.Links) = (lead.Email, rendered.Subject, tracked.Links.ToArray());
        var (fromName, fromAddress, replyTo) = routes.Sender(route, template);
        return new(
            message.Id,
            message.ProgramId,
            message.StepId,
            message.Attempts,
            message.DueTime.Value,
            new MailContent(
                links.MessageId(message.Id),
                fromAddress,
                fromName,
                lead.Email!,
                replyTo,
                rendered.Subject,
                html,
                template.Text.Length == 0 ? trackedText : rendered.Text,
                unsubscribeUrl)
            {
                BounceAddress = route.Settings.BounceAddress.Length == 0 ? null : route.Settings.BounceAddress,
                Signer = route.SignerOf(fromAddress),
            },
            route.Relay);
    }

    private static void Write(Transaction<NurtureDbContext> tx, IReadOnlyCollection<MessageRow> messages)
    {
        tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            update message m set state = n.state, detail = n.detail, due_time = n.due_time, slot_time = n.slot_time, attempts = n.attempts,
              to_address = n.to_address, subject = n.subject, links = array(select jsonb_array_elements_text(n.links))
            from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as n(id, state, detail, due_time, slot_time, attempts, to_address, subject, links)
            where m.workspace_id = $1 and m.id = n.id
            """)
        {
            Parameters =
            {
                Bulk.Value(tx.WorkspaceId),
                Column(NpgsqlDbType.Uuid, message => message.Id),
                Column(NpgsqlDbType.Text, message => message.State),
                Column(NpgsqlDbType.Text, message => message.Detail),
                Column(NpgsqlDbType.TimestampTz, message => message.DueTime?.ToUniversalTime()),
                Column(NpgsqlDbType.TimestampTz, message => message.SlotTime?.ToUniversalTime()),
                Column(NpgsqlDbType.Integer, message => message.Attempts),
                Column(NpgsqlDbType.Text, message => message.ToAddress),
                Column(NpgsqlDbType.Text, message => message.Subject),
                // Arrays of different lengths do not fit into one array.
                Column(NpgsqlDbType.Jsonb, message => JsonSerializer.Serialize(message.Links)),
            },
        });

        NpgsqlParameter Column<TValue>(NpgsqlDbType type, Func<MessageRow, TValue> value) =>
            Bulk.Array(type, messages.Select(value).ToArray());
    }

    private sealed record Delay(string State, string Reason, DateTimeOffset? DueTime)
    {
        public void ApplyTo(MessageRow message) => (message.State, message.Detail, message.DueTime) = (State, Reason, DueTime);
    }
}
