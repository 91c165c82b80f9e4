using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.RecordHits;

/// <summary>Takes a person off the list. Doing it again changes nothing.</summary>
internal sealed class UnsubscribeHandler(UnitOfWork<NurtureDbContext> unitOfWork, JudgeLeadHandler segments)
{
    /// <returns>False for a mail that is not there.</returns>
    public async Task<bool> Unsubscribe(EmailToken token, Visit visit, CancellationToken ct)
    {
        var isThere = false;
        await unitOfWork.Run(token.WorkspaceId, async tx => isThere = await Unsubscribe(tx, token.MessageId, visit), ct);
        return isThere;
    }

    private async Task<bool> Unsubscribe(Transaction<NurtureDbContext> tx, Guid messageId, Visit visit)
    {
        var message = await tx.Connection.QuerySingleOrDefaultAsync<MessageRow>(new CommandDefinition(
            "select * from message where workspace_id = @workspace and id = @messageId for update",
            new { workspace = tx.WorkspaceId, messageId },
            cancellationToken: tx.CancellationToken));
        if (message is null)
        {
            return false;
        }

        // The address that was mailed, and the lead's present one where it is another by now.
        var lead = await LeadStore.Find(tx, message.LeadId);
        foreach (var address in new[] { message.ToAddress, lead?.Email }.OfType<string>().Distinct())
        {
            await Suppressions.Add(tx, address, "UNSUBSCRIBED");
        }

        if (message.UnsubscribeTime is null)
        {
            var activity = tx.NewId();
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                update message set unsubscribe_time = @now, version = version + 1 where workspace_id = @workspace and id = @message;
                insert into engagement (workspace_id, id, message_id, kind, time, method, user_agent, client, honeypot, classification, reason)
                values (@workspace, @activity, @message, 'UNSUBSCRIBE', @now, @method, @userAgent, @client, false, 'HUMAN', 'POSTED');
                """,
                new
                {
                    workspace = tx.WorkspaceId,
                    message = messageId,
                    activity,
                    now = tx.Now,
                    method = visit.Method,
                    userAgent = visit.UserAgent,
                    client = RecordHitHandler.ClientHash(messageId, visit.Client),
                },
                cancellationToken: tx.CancellationToken));
            tx.Publish(new EmailEngaged(
                tx.NewId(), tx.WorkspaceId, tx.Now, message.Version + 1,
                activity, messageId, message.LeadId, message.ProgramId, "UNSUBSCRIBE", "HUMAN", null, true));
            await segments.MailChanged(tx, true, message.LeadId);
        }

        return true;
    }
}
