using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.ImportEnrollments;
using Lifecycle.Nurture.Features.ReportProgram;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using ProgramMessage = Lifecycle.Nurture.V1.Program;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Programs and enrollments over gRPC and REST.</summary>
internal sealed class ProgramGrpcService(
    UnitOfWork<NurtureDbContext> unitOfWork,
    EnrollmentHandler enrollments,
    BatchEnrollHandler batchEnroll,
    ImportEnrollmentsHandler import,
    TryProgramHandler tries,
    WorkSignal signal) : ProgramService.ProgramServiceBase
{
    private static readonly ListFields Fields = new ListFields("id", "p.id")
        .Sortable("displayName", "p.display_name").Names("state", "p.state", [ProgramRow.Draft, ProgramRow.Active, ProgramRow.Paused])
        .Sortable("createTime", "p.create_time", FieldKind.Time).Sortable("updateTime", "p.update_time", FieldKind.Time);

    public override async Task<ProgramMessage> CreateProgram(CreateProgramRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var path = ProgramWriter.NewPath(request, violations);
        violations.OrThrow();
        return (await unitOfWork.RunIdempotent(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (await ProgramWriter.MissingReferences(tx, path) is { } error)
            {
                return error;
            }

            var row = new ProgramRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                DisplayName = request.DisplayName,
                State = ProgramRow.Draft,
                Path = ProgramStore.ToJson(path),
                Version = 1,
                CreateTime = tx.Now,
                UpdateTime = tx.Now,
            };
            tx.Db.Programs.Add(row);
            ProgramWriter.Keep(tx, row);
            return (Result<ProgramMessage>)ProgramWriter.ToProto(row);
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<ProgramMessage> GetProgram(GetProgramRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        var row = await unitOfWork.Read(context.Caller().WorkspaceId, tx => ProgramWriter.Find(tx, id), context.CancellationToken);
        return ProgramWriter.ToProto(row.OrThrow());
    }

    public override async Task<ListProgramsResponse> ListPrograms(ListProgramsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime").OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            var keys = (await tx.Connection.QueryAsync<Keyed>(new CommandDefinition(
                $"select p.id, {query.PageKey} from program p where {query.Where} order by {query.OrderBy} limit {query.Limit}",
                query.Parameters,
                cancellationToken: tx.CancellationToken))).AsList();
            var ids = keys.ConvertAll(key => key.Id);
            var programs = await tx.Db.Programs.Where(program => program.WorkspaceId == tx.WorkspaceId && ids.Contains(program.Id))
                .ToDictionaryAsync(program => program.Id, tx.CancellationToken);
            return keys.ConvertAll(key => (Program: programs[key.Id], key.PageKey));
        }, context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Programs = { page.Select(row => ProgramWriter.ToProto(row.Program)) }, NextPageToken = next };
    }

    public override Task<ProgramMessage> UpdateProgram(UpdateProgramRequest request, ServerCallContext context) =>
        Change(request.Id, request.RequestId, request, context, async (tx, row) =>
        {
            var violations = new Violations();
            var path = ProgramWriter.ChangedPath(ProgramStore.Parse(row.Path), request, violations);
            if (violations.ToError() is { } error)
            {
                return error;
            }

            if (row.State == ProgramRow.Active && ProgramWriter.TouchesPath(request))
            {
                return Error.Precondition("The program is ACTIVE: pause it before its path changes.");
            }

            row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
            if (ProgramWriter.TouchesPath(request))
            {
                await ProgramVersions.Replace(tx, row, path, request.MoveEnrollments);
            }

            return await ProgramWriter.MissingReferences(tx, path);
        });

    public override async Task<Empty> DeleteProgram(DeleteProgramRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.RunIdempotent<Empty>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (!(await ProgramWriter.Lock(tx, id)).TryGet(out var row, out var missing))
            {
                return missing;
            }

            if (row.State == ProgramRow.Active)
            {
                return Error.Precondition("The program is ACTIVE: pause it before it is removed.");
            }

            tx.Db.Programs.Remove(row);
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                delete from step_visit where workspace_id = @workspace and program_id = @id;
                delete from enrollment where workspace_id = @workspace and program_id = @id;
                delete from pending_entry where workspace_id = @workspace and program_id = @id;
                delete from program_version where workspace_id = @workspace and program_id = @id;
                """,
                new { workspace = tx.WorkspaceId, id },
                cancellationToken: tx.CancellationToken));
            return new Empty();
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<ProgramMessage> StartProgram(StartProgramRequest request, ServerCallContext context)
    {
        var program = await Change(request.Id, request.RequestId, request, context, async (tx, row) =>
        {
            if (await ProgramWriter.MissingReferences(tx, ProgramStore.Parse(row.Path)) is { } error)
            {
                return Error.Precondition(error.Message);
            }

            row.State = ProgramRow.Active;
            await Hold(tx, row.Id, held: false);
            return null;
        });
        signal.Ring(context.Caller().WorkspaceId);
        return program;
    }

    public override Task<ProgramMessage> PauseProgram(PauseProgramRequest request, ServerCallContext context) =>
        Change(request.Id, request.RequestId, request, context, async (tx, row) =>
        {
            if (row.State == ProgramRow.Draft)
            {
                return Error.Precondition("The program was never started.");
            }

            row.State = ProgramRow.Paused;
            await Hold(tx, row.Id, held: true);
            return null;
        });

    public override async Task<ProgramReport> GetProgramReport(GetProgramReportRequest request, ServerCallContext context)
    {
        var (violations, caller) = (new Violations(), context.Caller());
        violations.RequireId(request.ProgramId, "programId", out var id);
        var (from, to) = (Day(request.From, "from", caller.TimeZone, violations), Day(request.To, "to", caller.TimeZone, violations));
        violations.OrThrow();
        return await unitOfWork.Read(caller.WorkspaceId, async tx =>
            await ReportProgramHandler.Report(tx, (await ProgramWriter.Find(tx, id)).OrThrow(), from, to), context.CancellationToken);
    }

    public override async Task<ListProgramVersionsResponse> ListProgramVersions(
        ListProgramVersionsRequest request, ServerCallContext context) =>
        await ProgramVersions.List(unitOfWork, request, context);

    public override Task<ListEnrollmentsResponse> ListEnrollments(ListEnrollmentsRequest request, ServerCallContext context) =>
        enrollments.List(request, context);

    public override Task<Enrollment> CreateEnrollment(CreateEnrollmentRequest request, ServerCallContext context) =>
        enrollments.Create(request, context);

    public override Task<BatchCreateEnrollmentsResponse> BatchCreateEnrollments(
        BatchCreateEnrollmentsRequest request, ServerCallContext context) => batchEnroll.Handle(request, context);

    public override async Task<ImportResponse> ImportEnrollments(
        IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await import.Import(context.Caller(), requestStream, context.CancellationToken)).OrThrow();

    public override Task<DryRunProgramResponse> DryRunProgram(DryRunProgramRequest request, ServerCallContext context) =>
        tries.DryRunProgram(request, context);

    public override Task<SendTestProgramResponse> SendTestProgram(SendTestProgramRequest request, ServerCallContext context) =>
        tries.SendTestProgram(request, context);

    private async Task<ProgramMessage> Change(
        string idText,
        string requestId,
        Google.Protobuf.IMessage request,
        ServerCallContext context,
        Func<Transaction<NurtureDbContext>, ProgramRow, Task<Error?>> change)
    {
        var id = Requests.Id(idText);
        return (await unitOfWork.RunIdempotent(context.Caller().WorkspaceId, context.Method, requestId, request, async tx =>
        {
            if (!(await ProgramWriter.Lock(tx, id)).TryGet(out var row, out var missing))
            {
                return missing;
            }

            if (await change(tx, row) is { } error)
            {
                return error;
            }

            row.UpdateTime = tx.Now;
            return (Result<ProgramMessage>)ProgramWriter.ToProto(row);
        }, context.CancellationToken)).OrThrow();
    }

    private static Task<int> Hold(Transaction<NurtureDbContext> tx, Guid programId, bool held) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update enrollment set held = @held
            where workspace_id = @workspace and program_id = @programId and state = 'ACTIVE' and held <> @held
            """,
            new { workspace = tx.WorkspaceId, programId, held },
            cancellationToken: tx.CancellationToken));

    private static DateTimeOffset? Day(string text, string field, TimeZoneInfo timeZone, Violations violations) =>
        text.Length > 0 && violations.RequireDate(text, field, out var day) ? ReportPeriod.Midnight(day, timeZone) : null;

    private sealed class Keyed
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
