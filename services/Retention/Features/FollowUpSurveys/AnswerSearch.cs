using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Category = Lifecycle.Retention.V1.SearchSurveyAnswersRequest.Types.Category;

namespace Lifecycle.Retention.Features.FollowUpSurveys;

/// <summary>Answers across surveys: the drill-down of reports, and the search for words.</summary>
internal static class AnswerSearch
{
    private const int MaxWords = 10;

    /// <summary>Answers that a page of one theme looks through at most.</summary>
    private const int MaxReadForTheme = 5000;

    private static readonly ListFields Fields = new ListFields("id", "a.id").Sortable("answerTime", "a.answer_time", FieldKind.Time);

    public static async Task<SearchSurveyAnswersResponse> Search(
        UnitOfWork<RetentionDbContext> work, SearchSurveyAnswersRequest request, Caller caller, CancellationToken ct)
    {
        var violations = new Violations();
        violations.LimitText(request.Query, "query", 500);
        var words = request.Query.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        violations.Require(words.Length <= MaxWords, "query", $"query has at most {MaxWords} words.");
        var surveyId = request.SurveyId.Length > 0 && violations.RequireId(request.SurveyId, "surveyId", out var survey)
            ? survey
            : (Guid?)null;
        var themeId = request.ThemeId.Length > 0 && violations.RequireId(request.ThemeId, "themeId", out var theme) ? theme : (Guid?)null;
        violations.Require(Enum.IsDefined(request.Category), "category", "category must be PROMOTER, PASSIVE or DETRACTOR.");
        violations.Require(Enum.IsDefined(request.SurveyType), "surveyType", "surveyType must be NPS, CSAT or CES.");
        var from = violations.OptionalDate(request.From, "from");
        var to = violations.OptionalDate(request.To, "to");
        violations.OrThrow();

        var condition = new List<string> { "a.workspace_id = @workspaceId" };
        var parameters = new DynamicParameters(new { workspaceId = caller.WorkspaceId });
        Add(surveyId is not null, "a.survey_id = @surveyId", "surveyId", surveyId);
        Add(
            request.SurveyType != Survey.Types.Type.Unspecified, "s.type = @type", "type",
            ((SurveyType)(int)request.SurveyType).ToString());
        Add(request.Category != Category.Unspecified, $"{CategorySql} = @category", "category", (int)request.Category);
        Add(from is not null, "a.answer_time >= @from", "from", from is { } first
            ? ReportPeriod.Midnight(first, caller.TimeZone).ToUniversalTime()
            : null);
        Add(to is not null, "a.answer_time < @to", "to", to is { } last
            ? ReportPeriod.Midnight(last, caller.TimeZone).ToUniversalTime()
            : null);
        Add(request.Segment.Length > 0, "c.segment = @segment", "segment", request.Segment);
        Add(request.Plan.Length > 0, "c.plan = @plan", "plan", request.Plan);
        Add(request.Source.Length > 0, "l.source = @source", "source", request.Source);
        Add(request.WithComment || themeId is not null, "a.comment is not null", "any", true);
        foreach (var (index, word) in words.Index())
        {
            var escaped = word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal)
                .Replace("_", "\\_", StringComparison.Ordinal);
            Add(true, $"a.comment ilike @word{index}", $"word{index}", $"%{escaped}%");
        }

        // The token belongs to the question: with another one it is refused.
        var scope = string.Join('|', request.Query, surveyId, request.SurveyType, request.Category, request.From, request.To,
            themeId, request.Segment, request.Plan, request.Source, request.WithComment);
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, null, request.OrderBy, "answerTime desc", scope).OrThrow();
        foreach (var (name, value) in query.Parameters)
        {
            parameters.Add(name, value);
        }

        return (await work.Read<Result<SearchSurveyAnswersResponse>>(
            caller.WorkspaceId,
            async tx =>
            {
                var themes = await ThemeStore.All(tx);
                if (themeId is { } wanted && !themes.Exists(one => one.Id == wanted))
                {
                    return Error.NotFound("SurveyTheme", wanted);
                }

                return themeId is null
                    ? await Page(tx, query, condition, parameters, themes)
                    : await PageOfTheme(tx, query, condition, parameters, themes, themeId.Value);
            },
            ct)).OrThrow();

        void Add(bool holds, string sql, string name, object? value)
        {
            if (holds)
            {
                condition.Add(sql);
                parameters.Add(name, value);
            }
        }
    }

    /// <summary>Category of answer <c>a</c> of survey <c>s</c>, by its number in the proto.</summary>
    private static string CategorySql { get; } = "case " + string.Concat(Enum.GetValues<SurveyType>().Select(type =>
        $"when s.type = '{type}' and a.score >= {type.Bounds().Promoter} then 1 when s.type = '{type}' and a.score <= {type.Bounds().Detractor} then 3 "))
        + "else 2 end";

    private static async Task<SearchSurveyAnswersResponse> Page(
        Transaction<RetentionDbContext> tx, ListQuery query, List<string> condition, DynamicParameters parameters, List<Theme> themes)
    {
        var (page, next) = query.Page(await Read(tx, query, condition, parameters, query.Limit), row => row.PageKey);
        return new() { Answers = { page.Select(row => ToProto(row, themes)) }, NextPageToken = next };
    }

    /// <summary>Themes are read from words, not kept: the page looks through comments in the list's order, up to a bound.</summary>
    private static async Task<SearchSurveyAnswersResponse> PageOfTheme(
        Transaction<RetentionDbContext> tx, ListQuery query, List<string> condition, DynamicParameters parameters,
        List<Theme> themes, Guid themeId)
    {
        var theme = themes.Where(one => one.Id == themeId).ToList();
        var rows = (await Read(tx, query, condition, parameters, MaxReadForTheme)).Where(row => ThemeRules.Match(row.Comment, theme).Any());
        var (page, next) = query.Page(rows.Take(query.Limit), row => row.PageKey);
        return new() { Answers = { page.Select(row => ToProto(row, themes)) }, NextPageToken = next };
    }

    private static async Task<List<Row>> Read(
        Transaction<RetentionDbContext> tx, ListQuery query, List<string> condition, DynamicParameters parameters, int limit) =>
        (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            $"""
            select a.id, a.survey_id, s.type, a.customer_id, c.display_name, coalesce(a.lead_id, c.lead_id) as lead_id, a.score, a.comment,
              a.answer_time, c.segment, c.plan, l.source, {query.PageKey}
            from survey_answer a join survey s on s.workspace_id = a.workspace_id and s.id = a.survey_id
            left join customer c on c.workspace_id = a.workspace_id and c.id = a.customer_id
            left join lead_profile l on l.workspace_id = a.workspace_id and l.lead_id = coalesce(a.lead_id, c.lead_id)
            where {string.Join(" and ", condition)} and {query.Where} order by {query.OrderBy} limit {limit}
            """,
            parameters,
            cancellationToken: tx.CancellationToken))).AsList();

    private static FoundAnswer ToProto(Row row, List<Theme> themes)
    {
        var type = Enum.Parse<SurveyType>(row.Type);
        return new()
        {
            Id = row.Id.ToString(),
            SurveyId = row.SurveyId.ToString(),
            SurveyType = (Survey.Types.Type)(int)type,
            CustomerId = row.CustomerId?.ToString() ?? "",
            CustomerName = row.DisplayName ?? "",
            LeadId = row.LeadId?.ToString() ?? "",
            Score = row.Score,
            Comment = row.Comment ?? "",
            AnswerTime = row.AnswerTime.ToProto(),
            Category = (Category)(int)type.Category(row.Score),
            Themes = { ThemeRules.Match(row.Comment, themes).Select(theme => theme.Name) },
            Segment = row.Segment ?? "",
            Plan = row.Plan ?? "",
            Source = row.Source ?? "",
        };
    }

    private sealed class Row
    {
        public Guid Id { get; init; }

        public Guid SurveyId { get; init; }

        public string Type { get; init; } = "";

        public Guid? CustomerId { get; init; }

        public string? DisplayName { get; init; }

        public Guid? LeadId { get; init; }

        public int Score { get; init; }

        public string? Comment { get; init; }

        public DateTimeOffset AnswerTime { get; init; }

        public string? Segment { get; init; }

        public string? Plan { get; init; }

        public string? Source { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
