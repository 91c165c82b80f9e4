using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>The trend of NPS, CSAT or CES, with intervals.</summary>
internal static class SurveyReports
{
    /// <summary>What is asked for, checked.</summary>
    public static Result<(SurveyType Type, Guid? SurveyId, string? GroupBy)> Parse(GetRetentionReportRequest request)
    {
        var violations = new Violations();
        var type = request.SurveyType == Survey.Types.Type.Unspecified ? SurveyType.Nps : (SurveyType)(int)request.SurveyType;
        violations.Require(Enum.IsDefined(type), "surveyType", "surveyType must be NPS, CSAT or CES.");
        Guid? surveyId = request.SurveyId.Length > 0 && violations.RequireId(request.SurveyId, "surveyId", out var id) ? id : null;
        violations.Require(
            request.GroupBy.Length == 0 || Facts.Dimensions.ContainsKey(request.GroupBy),
            "groupBy",
            $"groupBy must be one of {string.Join(", ", Facts.Dimensions.Keys)}.");
        return violations.ToError() is { } error ? error : (type, surveyId, request.GroupBy.Length == 0 ? null : request.GroupBy);
    }

    public static async Task<NpsReport> Run(
        Transaction<RetentionDbContext> tx, ReportPeriod period, SurveyType type, Guid? surveyId, string? groupBy)
    {
        var parameters = new
        {
            workspace = tx.WorkspaceId,
            from = period.From,
            to = period.To,
            type = type.ToString(),
            surveyId,
            timeZone = period.TimeZone.Id,
        };
        var answers = await Read(
            tx,
            $"""
            select a.answer_time as time, a.score, {Group(groupBy)} as group_name
            from survey_answer a join survey s on s.workspace_id = a.workspace_id and s.id = a.survey_id
            left join customer c on c.workspace_id = a.workspace_id and c.id = a.customer_id
            left join lead_profile l on l.workspace_id = a.workspace_id and l.lead_id = coalesce(a.lead_id, c.lead_id)
            where a.workspace_id = @workspace and a.answer_time >= @from and a.answer_time < @to and s.type = @type
              and (@surveyId::uuid is null or s.id = @surveyId)
            """,
            parameters);
        var invited = await Read(
            tx,
            $"""
            select i.invite_time as time, 0 as score, {Group(groupBy)} as group_name
            from survey_invitation i join survey s on s.workspace_id = i.workspace_id and s.id = i.survey_id
            left join customer c on c.workspace_id = i.workspace_id and c.id = i.customer_id
            left join lead_profile l on l.workspace_id = i.workspace_id and l.lead_id = i.lead_id
            where i.workspace_id = @workspace and i.state = 'INVITED' and i.invite_time >= @from and i.invite_time < @to and s.type = @type
              and (@surveyId::uuid is null or s.id = @surveyId)
            """,
            parameters);
        var report = new NpsReport { Note = answers.Count == 0 ? $"Nobody answered a survey of type {Names.Of(type)} in the period." : "" };
        var groups = answers.Concat(invited).Select(fact => fact.GroupName).Distinct().Order(StringComparer.Ordinal)
            .DefaultIfEmpty("").ToList();
        var scores = answers.ToLookup(fact => (fact.GroupName, period.IndexOf(fact.Time)), fact => fact.Score);
        var asked = invited.ToLookup(fact => (fact.GroupName, period.IndexOf(fact.Time)));
        foreach (var group in groups)
        {
            for (var index = 0; index < period.Granules.Count; index++)
            {
                report.Rows.Add(Row(type, group, period.Granules[index], [.. scores[(group, index)]], asked[(group, index)].Count()));
            }
        }

        return report;
    }

    private static NpsRow Row(SurveyType type, string group, Granule granule, int[] scores, int invitations)
    {
        var figure = SurveyMath.Score(type, scores);
        var row = new NpsRow
        {
            Start = granule.Start.ToString("yyyy-MM-dd", null),
            Group = group,
            Promoters = scores.Count(score => type.Category(score) == ScoreCategory.Promoter),
            Passives = scores.Count(score => type.Category(score) == ScoreCategory.Passive),
            Detractors = scores.Count(score => type.Category(score) == ScoreCategory.Detractor),
            Answers = scores.Length,
            Invitations = invitations,
        };
        if (figure.Score is { } score)
        {
            row.Score = score;
        }

        if (type == SurveyType.Nps && figure.Score is { } nps)
        {
            row.Nps = nps;
        }

        if (figure is { Low: { } low, High: { } high })
        {
            (row.ScoreLow, row.ScoreHigh) = (low, high);
        }

        return row;
    }

    private static string Group(string? dimension) => dimension is null ? "''" : Facts.Dimensions[dimension];

    private static async Task<List<ScoreFact>> Read(Transaction<RetentionDbContext> tx, string sql, object parameters) =>
        (await tx.Connection.QueryAsync<ScoreFact>(
            new CommandDefinition(sql, parameters, cancellationToken: tx.CancellationToken))).AsList();
}
