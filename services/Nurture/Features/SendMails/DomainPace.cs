using Dapper;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>
/// Shares out a domain's turns among all processes: each mail to a limited domain takes the next free turn and is due then. The turn is
/// kept on the mail, so that it is taken once however often the mail is looked at.
/// </summary>
internal static class DomainPace
{
    /// <summary>Gives a turn to each mail of a limited domain that has none.</summary>
    /// <param name="tx">The claim; it keeps the domains' rows locked to its end.</param>
    /// <param name="route">Limits.</param>
    /// <param name="mails">Mails about to be made, with their addresses, in order of their turn.</param>
    public static async Task Take(
        Transaction<NurtureDbContext> tx, MailRoute route, IEnumerable<(MessageRow Message, string Address)> mails)
    {
        // In order of the domain, so that two claims never wait for each other.
        var groups = mails.Where(mail => mail.Message.SlotTime is null)
            .GroupBy(mail => MailRoute.DomainOf(mail.Address), mail => mail.Message)
            .Where(group => route.LimitOf(group.Key) > 0)
            .OrderBy(group => group.Key, StringComparer.Ordinal);
        foreach (var group in groups)
        {
            var interval = TimeSpan.FromMinutes(1) / route.LimitOf(group.Key);
            var messages = group.ToList();
            var end = await tx.Connection.QuerySingleAsync<DateTimeOffset>(new CommandDefinition(
                """
                insert into domain_pace as p (workspace_id, domain, next_time) values (@workspace, @domain, @now::timestamptz + @all)
                on conflict (workspace_id, domain) do update set next_time = greatest(p.next_time, @now::timestamptz) + @all
                returning next_time
                """,
                new { workspace = tx.WorkspaceId, domain = group.Key, now = tx.Now, all = interval * messages.Count },
                cancellationToken: tx.CancellationToken));
            for (var index = 0; index < messages.Count; index++)
            {
                messages[index].SlotTime = end.ToUniversalTime() - (interval * (messages.Count - index));
            }
        }
    }

    /// <summary>Forgets the turns of mails that wait, after the limits were changed.</summary>
    public static Task Reset(Transaction<NurtureDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        delete from domain_pace where workspace_id = @workspace;
        update message set slot_time = null, due_time = case when due_time = slot_time then @now else due_time end
        where workspace_id = @workspace and state = 'PENDING' and slot_time is not null
        """,
        new { workspace = tx.WorkspaceId, now = tx.Now },
        cancellationToken: tx.CancellationToken));
}
