using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Action = Lifecycle.Nurture.V1.ListEngagementLeadsRequest.Types.Action;
using Outcome = Lifecycle.Nurture.V1.ListProgramLeadsRequest.Types.Outcome;

namespace Lifecycle.Nurture.Features.ReportNurture;

/// <summary>The leads behind a report's number, page by page.</summary>
internal static class ReportLeads
{
    public static readonly ListFields ProgramFields = new ListFields("id", "e.id").Sortable("enterTime", "e.enter_time", FieldKind.Time);

    public static readonly ListFields MailFields = new ListFields("id", "m.id").Sortable("sendTime", "m.send_time", FieldKind.Time);

    public static async Task<IReadOnlyList<FoundLead>> OfProgram(
        Transaction<NurtureDbContext> tx, ListProgramLeadsRequest request, Guid program, ListQuery query,
        DateTimeOffset from, DateTimeOffset to)
    {
        var outcome = request.StepId.Length > 0
            ? $"""
              exists (select 1 from step_visit v where v.workspace_id = e.workspace_id and v.enrollment_id = e.id and v.step_id = @step
                and {request.Outcome switch
            {
                Outcome.Waiting => "v.leave_time is null",
                Outcome.Completed => "v.outcome = 'COMPLETED'",
                Outcome.Dropped => "v.outcome = 'DROPPED'",
                Outcome.Converted => "v.outcome = 'CONVERTED'",
                Outcome.HeldOut => "false",
                _ => "true",
            }})
              """
            : request.Outcome switch
            {
                Outcome.Waiting => "e.state = 'ACTIVE'",
                Outcome.Completed => "e.state = 'COMPLETED'",
                Outcome.Dropped => "e.state = 'EXITED'",
                Outcome.Converted => "e.state = 'CONVERTED'",
                Outcome.HeldOut => "e.state = 'HELD_OUT'",
                _ => "e.state <> 'HELD_OUT'",
            };
        return (await tx.Connection.QueryAsync<FoundLead>(new CommandDefinition(
            $"""
            select e.lead_id, l.email, l.stage, e.id, e.enter_time as time, e.state, e.exit_reason, {query.PageKey},
              (select min(q.time) from mql q where q.workspace_id = e.workspace_id and q.lead_id = e.lead_id and q.time > e.enter_time) as mql_time
            from enrollment e left join lead l on l.workspace_id = e.workspace_id and l.lead_id = e.lead_id
            where e.workspace_id = @workspace and e.program_id = @program and e.enter_time >= @from and e.enter_time < @to
              and {outcome} and {query.Where}
            order by {query.OrderBy} limit {query.Limit}
            """,
            new DynamicParameters(query.Parameters).With("workspace", tx.WorkspaceId).With("program", program).With("step", request.StepId)
                .With("from", from.UtcDateTime).With("to", to.UtcDateTime),
            cancellationToken: tx.CancellationToken))).AsList();
    }

    public static async Task<IReadOnlyList<FoundLead>> OfEmail(
        Transaction<NurtureDbContext> tx, ListEngagementLeadsRequest request, ListQuery query, DateTimeOffset from, DateTimeOffset to)
    {
        var action = request.Action switch
        {
            Action.Delivered => "m.deliver_time is not null and m.bounce_time is null",
            Action.Opened => "m.open_time is not null",
            Action.Clicked => "m.click_time is not null",
            Action.Unsubscribed => "m.unsubscribe_time is not null",
            _ => "true",
        };
        var link = request.Url.Length == 0
            ? "true"
            : """
              exists (select 1 from engagement g where g.workspace_id = m.workspace_id and g.message_id = m.id and g.kind = 'CLICK'
                and g.classification = 'HUMAN' and g.url = @url)
              """;
        return (await tx.Connection.QueryAsync<FoundLead>(new CommandDefinition(
            $"""
            select m.lead_id, l.email, l.stage, m.id, m.send_time as time, m.open_time, m.click_time, {query.PageKey}
            from message m left join lead l on l.workspace_id = m.workspace_id and l.lead_id = m.lead_id
            where m.workspace_id = @workspace and m.send_time >= @from and m.send_time < @to and coalesce(m.external_id, m.email_id::text) = @email
              and {action} and {link} and {query.Where}
            order by {query.OrderBy} limit {query.Limit}
            """,
            new DynamicParameters(query.Parameters).With("workspace", tx.WorkspaceId).With("email", request.EmailId)
                .With("url", request.Url)
                .With("from", from.UtcDateTime).With("to", to.UtcDateTime),
            cancellationToken: tx.CancellationToken))).AsList();
    }

    public static ProgramLead ToProgramLead(FoundLead row) => new()
    {
        LeadId = row.LeadId.ToString(),
        Email = row.Email ?? "",
        Stage = Requests.ToStage(row.Stage),
        EnrollmentId = row.Id.ToString(),
        EnterTime = row.Time.ToTimestamp(),
        State = row.State ?? "",
        ExitReason = row.ExitReason ?? "",
        MqlTime = row.MqlTime?.ToTimestamp(),
    };

    public static EngagedLead ToEngagedLead(FoundLead row) => new()
    {
        LeadId = row.LeadId.ToString(),
        Email = row.Email ?? "",
        Stage = Requests.ToStage(row.Stage),
        MessageId = row.Id.ToString(),
        SendTime = row.Time.ToTimestamp(),
        OpenTime = row.OpenTime?.ToTimestamp(),
        ClickTime = row.ClickTime?.ToTimestamp(),
    };

    /// <summary>A lead in an enrollment, or that a mail was sent to.</summary>
    internal sealed class FoundLead
    {
        public Guid LeadId { get; init; }

        public string? Email { get; init; }

        public string? Stage { get; init; }

        public Guid Id { get; init; }

        public DateTimeOffset Time { get; init; }

        public string? State { get; init; }

        public string? ExitReason { get; init; }

        public DateTimeOffset? MqlTime { get; init; }

        public DateTimeOffset? OpenTime { get; init; }

        public DateTimeOffset? ClickTime { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
