using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ManageEmails;

/// <summary>The mails to one lead with what came of them.</summary>
internal static class ListLeadEmailsHandler
{
    private static readonly ListFields Fields = new ListFields("id", "m.id").Sortable("createTime", "m.create_time", FieldKind.Time);

    public static async Task<ListLeadEmailsResponse> List(
        UnitOfWork<NurtureDbContext> unitOfWork, ListLeadEmailsRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.LeadId, "leadId");
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, null, request.OrderBy, "createTime desc", id.ToString())
            .OrThrow();
        return await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            var lead = await LeadStore.Find(tx, id) ?? throw RpcErrors.ToException(Error.NotFound("Lead", id));
            var keys = (await tx.Connection.QueryAsync<Keyed>(new CommandDefinition(
                $"""
                select m.id, {query.PageKey} from message m
                where m.lead_id = @lead and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                new DynamicParameters(query.Parameters).With("lead", lead.MergedInto ?? id),
                cancellationToken: tx.CancellationToken))).AsList();
            var (page, next) = query.Page(keys, key => key.PageKey);
            var ids = page.Select(key => key.Id).ToArray();
            var parameters = new { workspace = tx.WorkspaceId, ids };
            var messages = (await tx.Connection.QueryAsync<MessageRow>(new CommandDefinition(
                "select * from message where workspace_id = @workspace and id = any(@ids)",
                parameters,
                cancellationToken: tx.CancellationToken)))
                .ToDictionary(message => message.Id);
            var engagements = (await tx.Connection.QueryAsync<EngagementRow>(new CommandDefinition(
                "select * from engagement where workspace_id = @workspace and message_id = any(@ids) order by time, id",
                parameters,
                cancellationToken: tx.CancellationToken))).ToLookup(engagement => engagement.MessageId);
            var emails = ids.Select(message => ToProto(messages[message], engagements[message]));
            return new ListLeadEmailsResponse { Emails = { emails }, NextPageToken = next };
        }, context.CancellationToken);
    }

    private static LeadEmail ToProto(MessageRow row, IEnumerable<EngagementRow> engagements)
    {
        var email = new LeadEmail
        {
            Id = row.Id.ToString(),
            EmailId = row.EmailId?.ToString() ?? "",
            ProgramId = row.ProgramId?.ToString() ?? "",
            StepId = row.StepId ?? "",
            Subject = row.Subject ?? "",
            State = System.Enum.Parse<LeadEmail.Types.State>(row.State, ignoreCase: true),
            Detail = row.Detail ?? "",
            CreateTime = row.CreateTime.ToTimestamp(),
            SendTime = row.SendTime?.ToTimestamp(),
            External = row.ExternalId is not null,
            Engagements = { engagements.Select(ToProto) },
        };
        email.HumanOpens = Count(email, Engagement.Types.Kind.Open, Engagement.Types.Classification.Human);
        email.HumanClicks = Count(email, Engagement.Types.Kind.Click, Engagement.Types.Classification.Human);
        email.SuspectOpens = Count(email, Engagement.Types.Kind.Open, Engagement.Types.Classification.Suspect);
        email.SuspectClicks = Count(email, Engagement.Types.Kind.Click, Engagement.Types.Classification.Suspect);
        email.BotOpens = Count(email, Engagement.Types.Kind.Open, Engagement.Types.Classification.Bot);
        email.BotClicks = Count(email, Engagement.Types.Kind.Click, Engagement.Types.Classification.Bot);
        return email;
    }

    private static Engagement ToProto(EngagementRow row) => new()
    {
        Id = row.Id.ToString(),
        Kind = System.Enum.Parse<Engagement.Types.Kind>(row.Kind, ignoreCase: true),
        Classification = row.Classification is { } name
            ? System.Enum.Parse<Engagement.Types.Classification>(name, ignoreCase: true)
            : Engagement.Types.Classification.Unspecified,
        Reason = row.Reason ?? "",
        Url = row.Url ?? "",
        Time = row.Time.ToTimestamp(),
    };

    private static int Count(LeadEmail email, Engagement.Types.Kind kind, Engagement.Types.Classification classification) =>
        email.Engagements.Count(engagement => engagement.Kind == kind && engagement.Classification == classification);

    private sealed class Keyed
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
