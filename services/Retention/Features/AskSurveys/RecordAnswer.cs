using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>An answer as given.</summary>
/// <param name="InvitationId">The invitation that it answers.</param>
internal sealed record GivenAnswer(
    Guid? CustomerId, Guid? LeadId, int Score, string Comment, DateTimeOffset Time, bool ByLink, Guid? InvitationId = null);

/// <summary>
/// Records an answer and publishes it. Over a link, a customer has one answer (one for each invitation), which the next replaces. An
/// unhappy one makes a task.
/// </summary>
internal static class RecordAnswer
{
    public static async Task<Result<SurveyAnswerRow>> Run(Transaction<RetentionDbContext> tx, Guid surveyId, GivenAnswer given)
    {
        if (await tx.Db.Surveys.SingleOrDefaultAsync(
            row => row.WorkspaceId == tx.WorkspaceId && row.Id == surveyId, tx.CancellationToken) is not { } survey)
        {
            return Error.NotFound("Survey", surveyId);
        }

        var (low, high) = survey.Type.Range();
        if (given.Score < low || given.Score > high)
        {
            return Error.Invalid("score", $"score must be {low} to {high} for a survey of type {Names.Of(survey.Type)}.");
        }

        var customer = given.CustomerId is { } customerId
            ? await CustomerLedger.Lock(tx, customerId)
            : await tx.Db.Customers.SingleOrDefaultAsync(
                row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == given.LeadId, tx.CancellationToken);
        if (given.CustomerId is not null && customer is null)
        {
            return Error.NotFound("Customer", given.CustomerId);
        }

        var comment = given.Comment.Length > 0 ? given.Comment : null;
        var earlier = given.ByLink
            ? await tx.Db.Answers.SingleOrDefaultAsync(
                row => row.WorkspaceId == tx.WorkspaceId && row.SurveyId == surveyId && row.ByLink && row.InvitationId == given.InvitationId
                    && (given.InvitationId != null || row.CustomerId == given.CustomerId),
                tx.CancellationToken)
            : null;
        var answer = earlier ?? new SurveyAnswerRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            SurveyId = surveyId,
            CustomerId = customer?.Id,
            LeadId = given.LeadId ?? customer?.LeadId,
            Score = given.Score,
            Comment = comment,
            AnswerTime = given.Time,
            ByLink = given.ByLink,
            InvitationId = given.InvitationId,
        };
        if (earlier is null)
        {
            tx.Db.Answers.Add(answer);
        }
        else
        {
            (answer.Score, answer.Comment, answer.AnswerTime, answer.Version) = (given.Score, comment, given.Time, answer.Version + 1);
        }

        await SurveyTasks.Follow(tx, survey, answer);
        RetentionTelemetry.AnswersRecorded.Add(1);
        tx.Publish(new NpsAnswered(
            tx.NewId(), tx.WorkspaceId, given.Time, answer.Version, surveyId, Names.Of(survey.Type), answer.CustomerId,
            answer.LeadId, given.Score, comment));
        return answer;
    }
}
