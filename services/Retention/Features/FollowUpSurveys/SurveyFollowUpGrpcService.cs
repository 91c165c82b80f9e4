using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Granularity = Lifecycle.Kernel.Granularity;

namespace Lifecycle.Retention.Features.FollowUpSurveys;

/// <summary>Verbatims, themes and tasks over gRPC and REST.</summary>
internal sealed class SurveyFollowUpGrpcService(UnitOfWork<RetentionDbContext> work, TimeProvider time)
    : SurveyFollowUpService.SurveyFollowUpServiceBase
{
    private static readonly ListFields TaskFields = new ListFields("id", "t.id")
        .Names("state", "t.state", [SurveyTaskRow.Open, SurveyTaskRow.Assigned, SurveyTaskRow.Done])
        .Add("owner", "t.owner").Add("surveyId", "t.survey_id", FieldKind.Id).Add("customerId", "t.customer_id", FieldKind.Id)
        .Sortable("dueTime", "t.due_time", FieldKind.Time).Sortable("createTime", "t.create_time", FieldKind.Time);

    public override Task<SearchSurveyAnswersResponse> SearchSurveyAnswers(SearchSurveyAnswersRequest request, ServerCallContext context) =>
        AnswerSearch.Search(work, request, context.Caller(), context.CancellationToken);

    public override Task<SurveyThemeReport> GetSurveyThemeReport(GetSurveyThemeReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = ReportPeriod.Create(request.From, request.To, Granularity.Day, caller.TimeZone).OrThrow();
        var type = request.SurveyType == Survey.Types.Type.Unspecified ? SurveyType.Nps : (SurveyType)(int)request.SurveyType;
        return work.Read(caller.WorkspaceId, tx => ThemeReport.Run(tx, period, type), context.CancellationToken);
    }

    public override async Task<SurveyTheme> CreateSurveyTheme(CreateSurveyThemeRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        CheckKeywords(violations, request.Keywords, isRequired: true);
        violations.OrThrow();
        return (await work.RunIdempotent<SurveyTheme>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            var themes = await ThemeStore.Rows(tx);
            if (themes.Exists(theme => theme.DisplayName == request.DisplayName))
            {
                return Error.AlreadyExists($"There is a theme {request.DisplayName}.");
            }

            if (themes.Count >= ThemeStore.MaxThemes)
            {
                return Error.Precondition($"A workspace has at most {ThemeStore.MaxThemes} themes.");
            }

            var row = new SurveyThemeRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                DisplayName = request.DisplayName,
                Keywords = [.. request.Keywords],
                CreateTime = tx.Now,
            };
            tx.Db.Themes.Add(row);
            return ToProto(row);
        }, context.CancellationToken)).OrThrow();
    }

    public override Task<ListSurveyThemesResponse> ListSurveyThemes(
        ListSurveyThemesRequest request, ServerCallContext context) => work.Read(
        context.Caller().WorkspaceId,
        async tx => new ListSurveyThemesResponse { Themes = { (await ThemeStore.Rows(tx)).Select(ToProto) } },
        context.CancellationToken);

    public override async Task<SurveyTheme> UpdateSurveyTheme(UpdateSurveyThemeRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        CheckKeywords(violations, request.Keywords, isRequired: false);
        violations.OrThrow();
        return (await work.RunIdempotent<SurveyTheme>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            var themes = await ThemeStore.Rows(tx);
            if (themes.Find(theme => theme.Id == id) is not { } row)
            {
                return Error.NotFound("SurveyTheme", id);
            }

            if (request.HasDisplayName && themes.Exists(theme => theme.Id != id && theme.DisplayName == request.DisplayName))
            {
                return Error.AlreadyExists($"There is a theme {request.DisplayName}.");
            }

            row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
            row.Keywords = request.Keywords.Count > 0 ? [.. request.Keywords] : row.Keywords;
            return ToProto(row);
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> DeleteSurveyTheme(DeleteSurveyThemeRequest request, ServerCallContext context)
    {
        var id = Id(request.Id);
        return (await work.RunIdempotent<Empty>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
            await tx.Db.Themes.Where(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id).ExecuteDeleteAsync(tx.CancellationToken) == 0
                ? Error.NotFound("SurveyTheme", id)
                : new Empty(), context.CancellationToken)).OrThrow();
    }

    public override Task<ListSurveyTasksResponse> ListSurveyTasks(ListSurveyTasksRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(TaskFields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "dueTime").OrThrow();
        return work.Read(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(tx, "survey_task t", "t.id", query);
                var rows = await tx.Db.Tasks.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
                    .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
                return new ListSurveyTasksResponse { Tasks = { ids.Select(id => ToProto(rows[id])) }, NextPageToken = next };
            },
            context.CancellationToken);
    }

    public override Task<SurveyTask> AssignSurveyTask(AssignSurveyTaskRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Owner, "owner");
        violations.OrThrow();
        return Change(context, request.RequestId, request, id, row => (row.State, row.Owner) = (SurveyTaskRow.Assigned, request.Owner));
    }

    public override Task<SurveyTask> CompleteSurveyTask(CompleteSurveyTaskRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.LimitText(request.Note, "note", 4000);
        violations.OrThrow();
        return Change(
            context, request.RequestId, request, id,
            row => (row.State, row.Note, row.DoneTime) = (SurveyTaskRow.Done, request.Note, time.GetUtcNow()));
    }

    private async Task<SurveyTask> Change(
        ServerCallContext context, string requestId, Google.Protobuf.IMessage request, Guid id, Action<SurveyTaskRow> change) =>
        (await work.RunIdempotent<SurveyTask>(context.Caller().WorkspaceId, context.Method, requestId, request, async tx =>
        {
            var row = await tx.Db.Tasks
                .FromSql($"select * from survey_task where workspace_id = {tx.WorkspaceId} and id = {id} for update")
                .SingleOrDefaultAsync(tx.CancellationToken);
            if (row is null)
            {
                return Error.NotFound("SurveyTask", id);
            }

            if (row.State == SurveyTaskRow.Done)
            {
                return Error.Precondition($"Task {id} is done.");
            }

            change(row);
            return ToProto(row);
        }, context.CancellationToken)).OrThrow();

    private static void CheckKeywords(Violations violations, RepeatedField<string> keywords, bool isRequired)
    {
        violations.Require(
            keywords.Count is <= 50 && (keywords.Count > 0 || !isRequired), "keywords", "keywords must be 1 to 50.");
        foreach (var (index, keyword) in keywords.Take(50).Index())
        {
            violations.Require(
                keyword.Length <= 100 && ThemeRules.IsKeyword(keyword), $"keywords[{index}]",
                "A keyword has a letter or digit and at most 100 characters.");
        }
    }

    private static Guid Id(string text)
    {
        var violations = new Violations();
        violations.RequireId(text, "id", out var id);
        violations.OrThrow();
        return id;
    }

    private static SurveyTheme ToProto(SurveyThemeRow row) =>
        new() { Id = row.Id.ToString(), DisplayName = row.DisplayName, Keywords = { row.Keywords }, CreateTime = row.CreateTime.ToProto() };

    private SurveyTask ToProto(SurveyTaskRow row) => new()
    {
        Id = row.Id.ToString(),
        State = System.Enum.Parse<SurveyTask.Types.State>(row.State, ignoreCase: true),
        AnswerId = row.AnswerId.ToString(),
        SurveyId = row.SurveyId.ToString(),
        CustomerId = row.CustomerId?.ToString() ?? "",
        LeadId = row.LeadId?.ToString() ?? "",
        Score = row.Score,
        Owner = row.Owner,
        DueTime = row.DueTime.ToProto(),
        Overdue = row.State != SurveyTaskRow.Done && row.DueTime < time.GetUtcNow(),
        DoneTime = row.DoneTime.ToProto(),
        Note = row.Note,
        CreateTime = row.CreateTime.ToProto(),
    };
}
