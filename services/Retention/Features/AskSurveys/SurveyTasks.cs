using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>Tasks that close the loop with unhappy customers.</summary>
internal static class SurveyTasks
{
    /// <summary>
    /// An unhappy answer has one task, due some hours after it. A better one in its place takes the task back, as long as nobody has it.
    /// </summary>
    public static Task Follow(Transaction<RetentionDbContext> tx, SurveyRow survey, SurveyAnswerRow answer)
    {
        var isUnhappy = survey.Type.Category(answer.Score) == ScoreCategory.Detractor;
        return tx.Connection.ExecuteAsync(new CommandDefinition(
            isUnhappy
                ? """
                  insert into survey_task as t (workspace_id, id, answer_id, survey_id, customer_id, lead_id, score, state, owner, due_time, note, create_time)
                  values (@workspace, @id, @answer, @survey, @customer, @lead, @score, 'OPEN', '', @due, '', @now)
                  on conflict (workspace_id, answer_id) do update set score = excluded.score where t.state <> 'DONE'
                  """
                : "delete from survey_task where workspace_id = @workspace and answer_id = @answer and state = 'OPEN'",
            new
            {
                workspace = tx.WorkspaceId,
                id = tx.NewId(),
                answer = answer.Id,
                survey = survey.Id,
                customer = answer.CustomerId,
                lead = answer.LeadId,
                score = answer.Score,
                due = answer.AnswerTime.AddHours(survey.CloseLoopHours).UtcDateTime,
                now = tx.Now,
            },
            cancellationToken: tx.CancellationToken));
    }
}
