using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Consumers;

/// <summary>Queues a mail that another service asked for, once for each request.</summary>
internal sealed class EmailRequestedConsumer(UnitOfWork<NurtureDbContext> unitOfWork, WorkSignal signal)
    : EventConsumer<EmailRequested, NurtureDbContext>(unitOfWork)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, EmailRequested e)
    {
        var lead = await LeadStore.LockStanding(tx, e.LeadId);
        if (lead.EraseTime is not null)
        {
            return;
        }

        // survey.url → group survey, name url.
        var values = e.Values.Select(value => (Name: value.Key.Split('.', 2), value.Value)).Where(value => value.Name.Length == 2)
            .GroupBy(value => value.Name[0])
            .ToDictionary(
                group => group.Key,
                group => (IReadOnlyDictionary<string, string>)group.ToDictionary(value => value.Name[1], value => value.Value));
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into message (workspace_id, id, lead_id, email_id, request_id, content, state, due_time, attempts, links, create_time, version)
            values (@workspace, @id, @lead, @template, @request, @content::jsonb, 'PENDING', @now, 0, '{}', @now, 0)
            on conflict (workspace_id, request_id) where request_id is not null do nothing
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = tx.NewId(),
                lead = lead.LeadId,
                template = e.TemplateId,
                request = e.RequestId,
                content = JsonSerializer.Serialize(new RequestedContent(e.Subject, e.Html, values)),
                now = tx.Now,
            },
            cancellationToken: tx.CancellationToken));
        signal.Ring(tx.WorkspaceId);
    }
}
