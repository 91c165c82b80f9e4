using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Stage = Lifecycle.Kernel.Stage;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Lists the leads of a program and lets one in by hand.</summary>
internal sealed class EnrollmentHandler(UnitOfWork<NurtureDbContext> unitOfWork, EnrollLeadHandler enroll)
{
    private static readonly ListFields Fields = new ListFields("id", "e.id")
        .Add("leadId", "e.lead_id", FieldKind.Id).Sortable("enterTime", "e.enter_time", FieldKind.Time)
        .Names("state", "e.state", [EnrollmentRow.Active, EnrollmentRow.Completed, EnrollmentRow.Exited,
            EnrollmentRow.Converted, EnrollmentRow.HeldOut])
        .Add("stepId", "e.step_id").Add("trigger", "e.trigger").Add("key", "e.key").Add("waitsFor", "e.waits_for");

    public async Task<ListEnrollmentsResponse> List(ListEnrollmentsRequest request, ServerCallContext context)
    {
        var program = Requests.Id(request.ProgramId, "programId");
        var query = ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "enterTime", program.ToString()).OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            (await ProgramWriter.Find(tx, program)).OrThrow();
            return await tx.Connection.QueryAsync<Listed>(new CommandDefinition(
                $"""
                select e.*, {query.PageKey} from enrollment e
                where e.program_id = @program and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                new DynamicParameters(query.Parameters).With("program", program),
                cancellationToken: tx.CancellationToken));
        }, context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Enrollments = { page.Select(row => row.ToProto()) }, NextPageToken = next };
    }

    public async Task<Enrollment> Create(CreateEnrollmentRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.ProgramId, "programId", out var programId);
        violations.RequireId(request.LeadId, "leadId", out var leadId);
        violations.Require(
            request.Key.Length <= ProgramPath.MaxKey, "key",
            $"key has {request.Key.Length} characters; at most {ProgramPath.MaxKey} are accepted.");
        violations.OrThrow();
        return (await unitOfWork.RunIdempotent(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (!(await ProgramWriter.Find(tx, programId)).TryGet(out var row, out var missing))
            {
                return missing;
            }

            if (await LeadStore.Find(tx, leadId) is not { ProfileVersion: > 0, EraseTime: null })
            {
                return Error.NotFound("Lead", leadId);
            }

            var lead = await LeadStore.LockStanding(tx, leadId);
            var program = new ActiveProgram(programId, row.Version, ProgramStore.Parse(row.Path));
            if (row.State != ProgramRow.Active)
            {
                return Error.Precondition($"The program is {row.State}; start it first.");
            }

            var stage = StageNames.TryParse(lead.Stage, out var known) ? known : (Stage?)null;
            if (request.Key.Length > 0 && program.Path.Reentry != Reentry.PerKey)
            {
                return Error.Invalid("key", "key is for programs whose re-entry rule is PER_KEY.");
            }

            if (program.Path.Admits(new ManualCause(request.Key), stage, tx.Now) is not { } trigger)
            {
                return Error.Precondition($"The lead is at {lead.Stage}, where the program ends.");
            }

            return (await enroll.Enter(tx, program, lead, trigger.Name, request.Key)).Map(entered => Listed.From(entered).ToProto());
        }, context.CancellationToken)).OrThrow();
    }

    private sealed class Listed
    {
        public Guid Id { get; init; }

        public Guid ProgramId { get; init; }

        public Guid LeadId { get; init; }

        public int Occurrence { get; init; }

        public string State { get; init; } = "";

        public string Key { get; init; } = "";

        public int PathVersion { get; init; }

        public string? StepId { get; init; }

        public string? WaitsFor { get; init; }

        public string? Fault { get; init; }

        public DateTimeOffset? DueTime { get; init; }

        public string Trigger { get; init; } = "";

        public string? ExitReason { get; init; }

        public DateTimeOffset EnterTime { get; init; }

        public DateTimeOffset? EndTime { get; init; }

        public string[] PageKey { get; init; } = [];

        public static Listed From(EnrollmentRow row) => new()
        {
            Id = row.Id,
            ProgramId = row.ProgramId,
            LeadId = row.LeadId,
            Occurrence = row.Occurrence,
            State = row.State,
            Key = row.Key,
            PathVersion = row.PathVersion,
            WaitsFor = row.WaitsFor,
            StepId = row.StepId,
            DueTime = row.DueTime,
            Trigger = row.Trigger,
            EnterTime = row.EnterTime,
        };

        public Enrollment ToProto() => new()
        {
            Id = Id.ToString(),
            ProgramId = ProgramId.ToString(),
            LeadId = LeadId.ToString(),
            Occurrence = Occurrence,
            State = System.Enum.Parse<Enrollment.Types.State>(State.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
            StepId = StepId ?? "",
            DueTime = DueTime?.ToTimestamp(),
            Trigger = Trigger,
            ExitReason = ExitReason ?? "",
            EnterTime = EnterTime.ToTimestamp(),
            EndTime = EndTime?.ToTimestamp(),
            Key = Key,
            ProgramVersion = PathVersion,
            WaitsFor = WaitsFor ?? "",
            Fault = Fault ?? "",
        };
    }
}
