using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;

namespace Lifecycle.Retention.Features.FollowUpSurveys;

/// <summary>How often themes are spoken of, and by whom.</summary>
internal static class ThemeReport
{
    private const int MaxComments = 20_000;

    public static async Task<SurveyThemeReport> Run(Transaction<RetentionDbContext> tx, ReportPeriod period, SurveyType type)
    {
        var themes = await ThemeStore.All(tx);
        var comments = (await tx.Connection.QueryAsync<(int Score, string Comment)>(new CommandDefinition(
            """
            select a.score, a.comment from survey_answer a join survey s on s.workspace_id = a.workspace_id and s.id = a.survey_id
            where a.workspace_id = @workspace and a.answer_time >= @from and a.answer_time < @to and s.type = @type and a.comment is not null
            order by a.answer_time desc, a.id limit @limit
            """,
            new { workspace = tx.WorkspaceId, from = period.From, to = period.To, type = type.ToString(), limit = MaxComments },
            cancellationToken: tx.CancellationToken))).AsList();
        var scores = themes.ToDictionary(theme => theme.Id, _ => new List<int>());
        var without = new List<int>();
        foreach (var (score, comment) in comments)
        {
            var found = ThemeRules.Match(comment, themes).ToList();
            found.ForEach(theme => scores[theme.Id].Add(score));
            if (found.Count == 0)
            {
                without.Add(score);
            }
        }

        var report = new SurveyThemeReport
        {
            Comments = comments.Count,
            Note = comments.Count == 0 ? "Nobody commented in the period."
                : themes.Count == 0 ? "There are no themes; POST /v1/surveyThemes makes one." : "",
        };
        report.Rows.AddRange(themes.Where(theme => scores[theme.Id].Count > 0).OrderByDescending(theme => scores[theme.Id].Count)
            .Select(theme => Row(type, theme.Id.ToString(), theme.Name, scores[theme.Id])));
        if (without.Count > 0)
        {
            report.Rows.Add(Row(type, "", "", without));
        }

        return report;
    }

    private static ThemeReportRow Row(SurveyType type, string id, string name, List<int> scores) => new()
    {
        ThemeId = id,
        DisplayName = name,
        Comments = scores.Count,
        Promoters = scores.Count(score => type.Category(score) == ScoreCategory.Promoter),
        Detractors = scores.Count(score => type.Category(score) == ScoreCategory.Detractor),
        MeanScore = scores.Average(),
    };
}
