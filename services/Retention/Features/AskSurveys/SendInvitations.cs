using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Features.AnswerByLink;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>
/// Decides the occasions that are due: asks, waits, or lets it be. An invitation and the request for its mail are one transaction, and
/// Nurture makes one mail of one request: nobody is asked twice on one occasion.
/// </summary>
internal sealed class SendInvitations(SurveyLinks links)
{
    private const int BatchSize = 100;

    private const string PlainMail =
        """
        <p>Hello{{#if lead.firstName}} {{lead.firstName}}{{/if}},</p>
        <p>{{survey.question}}</p>
        <p><a href="{{survey.url}}">Answer now</a></p>
        """;

    /// <returns>Whether there may be more.</returns>
    public async Task<bool> Send(Transaction<RetentionDbContext> tx)
    {
        var due = await tx.Db.Invitations.FromSql(
            $"""
            select * from survey_invitation where workspace_id = {tx.WorkspaceId} and state = 'PENDING' and due_time <= {tx.Now}
            order by due_time limit {BatchSize} for update skip locked
            """).ToListAsync(tx.CancellationToken);
        if (due.Count == 0)
        {
            return false;
        }

        var surveyIds = due.Select(one => one.SurveyId).Distinct().ToArray();
        var surveys = await tx.Db.Surveys.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId && surveyIds.Contains(row.Id))
            .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
        var customerIds = due.Select(one => one.CustomerId).Distinct().ToArray();
        var customers = await tx.Db.Customers.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId && customerIds.Contains(row.Id))
            .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
        // Leads are locked in order of their ids, as merges lock them.
        foreach (var invitation in due.OrderBy(one => customers.GetValueOrDefault(one.CustomerId)?.LeadId))
        {
            await Decide(
                tx, invitation, surveys.GetValueOrDefault(invitation.SurveyId), customers.GetValueOrDefault(invitation.CustomerId));
        }

        return due.Count == BatchSize;
    }

    private async Task Decide(Transaction<RetentionDbContext> tx, SurveyInvitationRow invitation, SurveyRow? survey, CustomerRow? customer)
    {
        var obstacle = survey is not { Asks: true } ? "SURVEY_ENDED"
            : customer is null or { Churned: true } ? "NO_CUSTOMER"
            : customer.LeadId is null ? "NO_LEAD"
            : !SurveyMath.IsDrawn(survey.SampleSeed, survey.Id, customer.Id, invitation.Occasion, survey.SampleShare) ? "NOT_SAMPLED"
            : null;
        if (obstacle is not null)
        {
            End(invitation, SurveyInvitationRow.Skipped, obstacle);
            return;
        }

        // The lead's lock makes one decision after the other: two surveys cannot both find that nobody asked lately.
        var lead = await LeadProfiles.Lock(tx, customer!.LeadId!.Value);
        if (lead.Erased || lead.Email is null)
        {
            End(invitation, SurveyInvitationRow.Skipped, "NO_ADDRESS");
            return;
        }

        if (tx.Now - invitation.CreateTime > SurveyOccasions.Window)
        {
            End(invitation, SurveyInvitationRow.Lapsed, "ASKED_LATELY");
            return;
        }

        // Earlier invitations of this batch are not flushed yet; the question is put to the database.
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        var rested = await LastAsked(tx, lead.LeadId) is { } last ? last + TimeSpan.FromDays(survey!.FatigueDays) : tx.Now;
        if (rested > tx.Now)
        {
            (invitation.DueTime, invitation.Reason) = (rested, "ASKED_LATELY");
            return;
        }

        (invitation.State, invitation.Reason, invitation.DueTime) = (SurveyInvitationRow.Invited, null, null);
        (invitation.LeadId, invitation.InviteTime) = (lead.LeadId, tx.Now);
        tx.Publish(new EmailRequested(
            tx.NewId(), tx.WorkspaceId, tx.Now, 1, invitation.Id, lead.LeadId, survey!.EmailId, "{{survey.question}}", PlainMail,
            new Dictionary<string, string>
            {
                ["survey.url"] = links.Create(tx.WorkspaceId, survey.Id, invitation.Id).ToString(),
                ["survey.question"] = survey.Question,
            }));
        RetentionTelemetry.InvitationsSent.Add(1);
    }

    private static Task<DateTimeOffset?> LastAsked(Transaction<RetentionDbContext> tx, Guid leadId) =>
        tx.Connection.ExecuteScalarAsync<DateTimeOffset?>(new CommandDefinition(
            "select max(invite_time) from survey_invitation where workspace_id = @workspace and lead_id = @leadId and state = 'INVITED'",
            new { workspace = tx.WorkspaceId, leadId },
            cancellationToken: tx.CancellationToken));

    private static void End(SurveyInvitationRow invitation, string state, string reason) =>
        (invitation.State, invitation.Reason, invitation.DueTime) = (state, reason, null);
}
