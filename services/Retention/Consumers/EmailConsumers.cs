using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Consumers;

/// <summary>Keeps mails, for the rates of campaigns to customers.</summary>
public sealed class EmailSentConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<EmailSent, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, EmailSent e) => await tx.Connection.ExecuteAsync(
        """
        insert into campaign_email (workspace_id, email_id, lead_id, sent_time, program_id, opened, clicked, bounced, replied)
        values (@workspaceId, @emailId, @leadId, @time, @programId, false, false, false, false)
        on conflict (workspace_id, email_id) do update
        set lead_id = excluded.lead_id, sent_time = excluded.sent_time, program_id = excluded.program_id
        """,
        new { workspaceId = tx.WorkspaceId, emailId = e.EmailId, leadId = e.LeadId, time = e.OccurredAt, programId = e.ProgramId });
}

/// <summary>Counts what people did with a mail; scanners and robots do not count.</summary>
public sealed class EmailEngagedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<EmailEngaged, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, EmailEngaged e)
    {
        if (e.Kind != "BOUNCE" && e.Classification != "HUMAN")
        {
            return;
        }

        await tx.Connection.ExecuteAsync(
            """
            insert into campaign_email (workspace_id, email_id, lead_id, program_id, opened, clicked, bounced, replied, click_time)
            values (@workspaceId, @emailId, @leadId, @programId, @opened, @clicked, @bounced, @replied, @clickTime)
            on conflict (workspace_id, email_id) do update set
              opened = campaign_email.opened or excluded.opened, clicked = campaign_email.clicked or excluded.clicked,
              bounced = campaign_email.bounced or excluded.bounced, replied = campaign_email.replied or excluded.replied,
              click_time = least(campaign_email.click_time, excluded.click_time)
            """,
            new
            {
                workspaceId = tx.WorkspaceId,
                emailId = e.EmailId,
                leadId = e.LeadId,
                programId = e.ProgramId,
                opened = e.Kind == "OPEN",
                clicked = e.Kind == "CLICK",
                bounced = e.Kind == "BOUNCE",
                replied = e.Kind == "REPLY",
                clickTime = e.Kind == "CLICK" ? e.OccurredAt : (DateTimeOffset?)null,
            });
    }
}
