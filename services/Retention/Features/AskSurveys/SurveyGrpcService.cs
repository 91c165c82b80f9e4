using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Features.AnswerByLink;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>Surveys, their answers, and links to the answer page.</summary>
public sealed class SurveyGrpcService(UnitOfWork<RetentionDbContext> work, SurveyLinks links, TimeProvider time)
    : SurveyService.SurveyServiceBase
{
    private static readonly ListFields SurveyFields = new ListFields("id", "s.id")
        .Sortable("createTime", "s.create_time", FieldKind.Time).Sortable("displayName", "s.display_name");

    private static readonly ListFields AnswerFields = new ListFields("id", "a.id").Sortable("answerTime", "a.answer_time", FieldKind.Time);

    public override Task<ListSurveysResponse> ListSurveys(ListSurveysRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(SurveyFields, request.PageSize, request.PageToken, null, request.OrderBy, "id desc").OrThrow();
        return work.Read(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(tx, "survey s", "s.id", query);
                var rows = await Surveys(tx).Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, tx.CancellationToken);
                return new ListSurveysResponse { Surveys = { ids.Select(id => ToProto(rows[id])) }, NextPageToken = next };
            },
            context.CancellationToken);
    }

    public override async Task<Survey> GetSurvey(GetSurveyRequest request, ServerCallContext context)
    {
        var id = Id(request.Id, "id");
        return (await work.Read(
            context.Caller().WorkspaceId, async tx => (await Find(tx, id)).Map(ToProto), context.CancellationToken)).OrThrow();
    }

    public override async Task<Survey> CreateSurvey(CreateSurveyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(System.Enum.IsDefined((SurveyType)(int)request.Type), "type", "type must be NPS, CSAT or CES.");
        violations.RequireText(request.DisplayName, "displayName");
        violations.LimitText(request.Question, "question", 500);
        SurveySchedules.Check(violations, request.Schedule, request.CloseLoopHours);
        violations.OrThrow();
        var type = (SurveyType)(int)request.Type;
        return (await work.RunIdempotent<Survey>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            tx =>
            {
                var row = new SurveyRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = tx.NewId(),
                    Type = type,
                    DisplayName = request.DisplayName,
                    Question = request.Question.Length > 0 ? request.Question : type.UsualQuestion(),
                    CreateTime = tx.Now,
                    CloseLoopHours = request.CloseLoopHours > 0 ? request.CloseLoopHours : 48,
                };
                SurveySchedules.Take(row, request.Schedule ?? new());
                tx.Db.Surveys.Add(row);
                return Task.FromResult<Result<Survey>>(ToProto(row));
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Survey> UpdateSurvey(UpdateSurveyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        if (request.HasQuestion)
        {
            violations.RequireText(request.Question, "question", 500);
        }

        SurveySchedules.Check(violations, request.Schedule, request.CloseLoopHours);
        violations.OrThrow();
        return (await work.RunIdempotent<Survey>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx => (await Find(tx, id)).Map(row =>
            {
                if (request.Schedule is { } schedule)
                {
                    SurveySchedules.Take(row, schedule);
                }

                row.CloseLoopHours = request.CloseLoopHours > 0 ? request.CloseLoopHours : row.CloseLoopHours;
                row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
                row.Question = request.HasQuestion ? request.Question : row.Question;
                return ToProto(row);
            }),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> DeleteSurvey(DeleteSurveyRequest request, ServerCallContext context)
    {
        var id = Id(request.Id, "id");
        return (await work.RunIdempotent<Empty>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                var found = await Find(tx, id);
                if (!found.TryGet(out var row, out var error))
                {
                    return error;
                }

                if (await tx.Db.Answers.AnyAsync(
                    answer => answer.WorkspaceId == tx.WorkspaceId && answer.SurveyId == id, tx.CancellationToken))
                {
                    return Error.Precondition($"Survey {id} has answers; it stays, or the figures would change.");
                }

                await tx.Db.Invitations.Where(one => one.WorkspaceId == tx.WorkspaceId && one.SurveyId == id)
                    .ExecuteDeleteAsync(tx.CancellationToken);
                tx.Db.Surveys.Remove(row);
                return new Empty();
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<SurveyAnswer> CreateSurveyAnswer(CreateSurveyAnswerRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.SurveyId, "surveyId", out var surveyId);
        violations.Require(
            request.CustomerId.Length > 0 != request.LeadId.Length > 0, "customerId", "Either customerId or leadId is required.");
        var customerId = request.CustomerId.Length > 0 && violations.RequireId(request.CustomerId, "customerId", out var customer)
            ? customer
            : (Guid?)null;
        var leadId = request.LeadId.Length > 0 && violations.RequireId(request.LeadId, "leadId", out var lead) ? lead : (Guid?)null;
        violations.Require(request.HasScore, "score", "score is required.");
        violations.LimitText(request.Comment, "comment", 4000);
        var answerTime = violations.TimeOrNow(request.AnswerTime, time.GetUtcNow(), "answerTime");
        violations.OrThrow();
        return (await work.RunIdempotent<SurveyAnswer>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx => (await RecordAnswer.Run(
                tx, surveyId, new(customerId, leadId, request.Score, request.Comment, answerTime, ByLink: false))).Map(ToProto),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ListSurveyAnswersResponse> ListSurveyAnswers(ListSurveyAnswersRequest request, ServerCallContext context)
    {
        var surveyId = Id(request.SurveyId, "surveyId");
        var query = ListQuery.Parse(
            AnswerFields, request.PageSize, request.PageToken, null, request.OrderBy, "answerTime desc", request.SurveyId).OrThrow();
        return (await work.Read<Result<ListSurveyAnswersResponse>>(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var found = await Find(tx, surveyId);
                if (found.Error is { } error)
                {
                    return error;
                }

                var (ids, next) = await Pages.Ids(tx, "survey_answer a", "a.id", query, "a.survey_id = @parentId", surveyId);
                var rows = await tx.Db.Answers.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
                    .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
                return new ListSurveyAnswersResponse { Answers = { ids.Select(id => ToProto(rows[id])) }, NextPageToken = next };
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<SurveyLink> CreateSurveyLink(CreateSurveyLinkRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.SurveyId, "surveyId", out var surveyId);
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.OrThrow();
        return (await work.Read<Result<SurveyLink>>(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var found = await Find(tx, surveyId);
                if (found.Error is { } error)
                {
                    return error;
                }

                return await tx.Db.Customers.AnyAsync(
                    row => row.WorkspaceId == tx.WorkspaceId && row.Id == customerId, tx.CancellationToken)
                    ? new SurveyLink { Url = links.Create(tx.WorkspaceId, surveyId, customerId).ToString() }
                    : Error.NotFound("Customer", customerId);
            },
            context.CancellationToken)).OrThrow();
    }

    private static Guid Id(string text, string field)
    {
        var violations = new Violations();
        violations.RequireId(text, field, out var id);
        violations.OrThrow();
        return id;
    }

    private static IQueryable<SurveyRow> Surveys(Transaction<RetentionDbContext> tx) =>
        tx.Db.Surveys.Where(row => row.WorkspaceId == tx.WorkspaceId);

    private static async Task<Result<SurveyRow>> Find(Transaction<RetentionDbContext> tx, Guid id) =>
        await Surveys(tx).SingleOrDefaultAsync(row => row.Id == id, tx.CancellationToken) is { } row ? row : Error.NotFound("Survey", id);

    private static Survey ToProto(SurveyRow row) => new()
    {
        Id = row.Id.ToString(),
        Type = (Survey.Types.Type)(int)row.Type,
        DisplayName = row.DisplayName,
        Question = row.Question,
        CreateTime = row.CreateTime.ToProto(),
        Schedule = SurveySchedules.ToProto(row),
        CloseLoopHours = row.CloseLoopHours,
    };

    private static SurveyAnswer ToProto(SurveyAnswerRow row) => new()
    {
        Id = row.Id.ToString(),
        SurveyId = row.SurveyId.ToString(),
        CustomerId = row.CustomerId?.ToString() ?? "",
        LeadId = row.LeadId?.ToString() ?? "",
        Score = row.Score,
        Comment = row.Comment ?? "",
        AnswerTime = row.AnswerTime.ToProto(),
    };
}
