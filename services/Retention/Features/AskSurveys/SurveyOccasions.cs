using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;
using NpgsqlTypes;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>Finds the occasions on which surveys ask, and notes each once. Whether it asks is decided apart.</summary>
internal static class SurveyOccasions
{
    /// <summary>How long after its time an occasion is still one.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromDays(30);

    private const int BatchSize = 500;

    /// <summary>Customers whose time has come, by start and quarters.</summary>
    /// <returns>Whether there may be more.</returns>
    public static async Task<bool> FindByTime(Transaction<RetentionDbContext> tx)
    {
        var surveys = await tx.Db.Surveys.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId && row.Asks)
            .ToListAsync(tx.CancellationToken);
        var more = false;
        foreach (var survey in surveys)
        {
            if (survey.AfterOnboardingDays is { } days)
            {
                more |= await Note(tx, survey, await Find(
                    tx,
                    """
                    select c.id as customer_id, 'onboarding' as occasion from customer c
                    where c.workspace_id = @workspace and not c.churned
                      and c.start_time <= @now - make_interval(days => @days) and c.start_time > @now - make_interval(days => @days) - @window
                      and not exists (
                        select 1 from survey_invitation i
                        where i.workspace_id = @workspace and i.survey_id = @survey and i.customer_id = c.id and i.occasion = 'onboarding')
                    limit @limit
                    """,
                    survey, days));
            }

            if (survey.Quarterly)
            {
                // The last quarter that is full, counted from the start in UTC.
                more |= await Note(tx, survey, await Find(
                    tx,
                    """
                    select * from (
                      select c.id as customer_id, 'quarter-' || q.number as occasion
                      from customer c cross join lateral (
                        select floor((extract(year from a.age) * 12 + extract(month from a.age)) / 3)::int as number
                        from (select age(@now at time zone 'UTC', c.start_time at time zone 'UTC') as age) a) q
                      where c.workspace_id = @workspace and not c.churned and q.number >= 1
                        and (c.start_time at time zone 'UTC') + make_interval(months => q.number * 3) > (@now at time zone 'UTC') - @window) o
                    where not exists (
                      select 1 from survey_invitation i
                      where i.workspace_id = @workspace and i.survey_id = @survey and i.customer_id = o.customer_id and i.occasion = o.occasion)
                    limit @limit
                    """,
                    survey, 0));
            }
        }

        return more;
    }

    /// <summary>
    /// Customers whose leads did what a survey waits for. The activity's id makes it one occasion, however often it is told.
    /// </summary>
    public static async Task FindByActivity(Transaction<RetentionDbContext> tx, IReadOnlyList<ActivityInfo> activities)
    {
        var surveys = await tx.Db.Surveys.AsNoTracking()
            .Where(row => row.WorkspaceId == tx.WorkspaceId && row.Asks && row.SupportEvent != "")
            .ToListAsync(tx.CancellationToken);
        var now = tx.Now;
        foreach (var survey in surveys)
        {
            foreach (var activity in activities.Where(
                one => one.Name.Equals(survey.SupportEvent, StringComparison.OrdinalIgnoreCase) && one.Time > now - Window))
            {
                var leadId = await LeadProfiles.Resolve(tx, activity.LeadId);
                var customers = await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
                    "select id from customer where workspace_id = @workspace and lead_id = @leadId and not churned",
                    new { workspace = tx.WorkspaceId, leadId },
                    cancellationToken: tx.CancellationToken));
                await Note(
                    tx, survey, [.. customers.Select(id => new Found { CustomerId = id, Occasion = $"event-{activity.ActivityId}" })]);
            }
        }
    }

    private static async Task<List<Found>> Find(Transaction<RetentionDbContext> tx, string sql, SurveyRow survey, int days) =>
        (await tx.Connection.QueryAsync<Found>(new CommandDefinition(
            sql,
            new { workspace = tx.WorkspaceId, survey = survey.Id, now = tx.Now, days, window = Window, limit = BatchSize },
            cancellationToken: tx.CancellationToken))).AsList();

    private static async Task<bool> Note(Transaction<RetentionDbContext> tx, SurveyRow survey, List<Found> found)
    {
        if (found.Count > 0)
        {
            await Bulk.Insert(
                tx,
                "survey_invitation",
                [
                    BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, found, _ => tx.WorkspaceId),
                    BulkColumn.From("id", NpgsqlDbType.Uuid, found, _ => tx.NewId()),
                    BulkColumn.From("survey_id", NpgsqlDbType.Uuid, found, _ => survey.Id),
                    BulkColumn.From("customer_id", NpgsqlDbType.Uuid, found, one => one.CustomerId),
                    BulkColumn.From("occasion", NpgsqlDbType.Text, found, one => one.Occasion),
                    BulkColumn.From("state", NpgsqlDbType.Text, found, _ => SurveyInvitationRow.Pending),
                    BulkColumn.From("due_time", NpgsqlDbType.TimestampTz, found, _ => tx.Now.UtcDateTime),
                    BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, found, _ => tx.Now.UtcDateTime),
                ],
                "on conflict do nothing");
        }

        return found.Count == BatchSize;
    }

    private sealed class Found
    {
        public Guid CustomerId { get; init; }

        public string Occasion { get; init; } = "";
    }
}
