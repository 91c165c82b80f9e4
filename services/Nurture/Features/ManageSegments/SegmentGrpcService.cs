using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>Segments over gRPC and REST.</summary>
internal sealed class SegmentGrpcService(UnitOfWork<NurtureDbContext> unitOfWork, IOptions<NurtureOptions> options, WorkSignal signal)
    : SegmentService.SegmentServiceBase
{
    private const int PreviewSample = 20;

    private const string MemberCount =
        "(select count(*) from segment_member m where m.workspace_id = s.workspace_id and m.segment_id = s.id) as member_count";

    private static readonly ListFields Fields = new ListFields("id", "s.id")
        .Sortable("displayName", "s.display_name").Add("condition", "s.condition")
        .Sortable("createTime", "s.create_time", FieldKind.Time).Sortable("updateTime", "s.update_time", FieldKind.Time);

    private static readonly ListFields MemberFields = new ListFields("leadId", "m.lead_id")
        .Sortable("enterTime", "m.enter_time", FieldKind.Time);

    public override async Task<Segment> CreateSegment(CreateSegmentRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        CheckCondition(violations, request.Condition);
        violations.OrThrow();
        var caller = context.Caller();
        var result = await unitOfWork.RunIdempotent<Segment>(caller.WorkspaceId, context.Method, request.RequestId, request, tx =>
        {
            var row = new SegmentRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                DisplayName = request.DisplayName,
                Condition = request.Condition,
                Version = 1,
                CreateTime = tx.Now,
                UpdateTime = tx.Now,
            };
            tx.Db.Segments.Add(row);
            return Task.FromResult<Result<Segment>>(ToProto(row, 0));
        }, context.CancellationToken);
        signal.Ring(caller.WorkspaceId);
        return result.OrThrow();
    }

    public override async Task<Segment> GetSegment(GetSegmentRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.Read(context.Caller().WorkspaceId, tx => Find(tx, id), context.CancellationToken)).OrThrow();
    }

    public override async Task<ListSegmentsResponse> ListSegments(ListSegmentsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime").OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, tx => tx.Connection.QueryAsync<ListedSegment>(new CommandDefinition(
            $"""
            select s.*, {MemberCount}, {query.PageKey} from segment s where {query.Where} order by {query.OrderBy} limit {query.Limit}
            """,
            query.Parameters,
            cancellationToken: tx.CancellationToken)), context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Segments = { page.Select(row => ToProto(row.ToRow(), row.MemberCount)) }, NextPageToken = next };
    }

    public override async Task<Segment> UpdateSegment(UpdateSegmentRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var isId = violations.RequireId(request.Id, "id", out var id);
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        if (request.HasCondition)
        {
            CheckCondition(violations, request.Condition);
        }

        violations.OrThrow();
        var caller = context.Caller();
        var result = await unitOfWork.RunIdempotent(caller.WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (await Lock(tx, id) is not { } row)
            {
                return Error.NotFound("Segment", id);
            }

            row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
            if (request.HasCondition && request.Condition != row.Condition)
            {
                (row.Condition, row.Version, row.EvaluatedLead) = (request.Condition, row.Version + 1, null);
            }

            row.UpdateTime = tx.Now;
            await tx.Db.SaveChangesAsync(tx.CancellationToken);
            return await Find(tx, id);
        }, context.CancellationToken);
        signal.Ring(caller.WorkspaceId);
        return result.OrThrow();
    }

    public override async Task<Empty> DeleteSegment(DeleteSegmentRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.RunIdempotent<Empty>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (await Lock(tx, id) is not { } row)
            {
                return Error.NotFound("Segment", id);
            }

            var active = await tx.Db.Programs.Where(program => program.WorkspaceId == tx.WorkspaceId && program.State == ProgramRow.Active)
                .ToListAsync(tx.CancellationToken);
            var trigger = new Domain.Programs.SegmentEnteredTrigger(id);
            if (active.Find(program => ProgramStore.Parse(program.Path).EntryTriggers.Contains(trigger)) is { } program)
            {
                return Error.Precondition($"The active program {program.DisplayName} enters by this segment; pause it first.");
            }

            tx.Db.Segments.Remove(row);
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                "delete from segment_member where workspace_id = @workspace and segment_id = @id",
                new { workspace = tx.WorkspaceId, id },
                cancellationToken: tx.CancellationToken));
            return new Empty();
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<PreviewSegmentResponse> PreviewSegment(PreviewSegmentRequest request, ServerCallContext context)
    {
        var condition = Condition.Parse(request.Condition, LeadFacts.Catalog).OrThrow();
        return await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            var (response, limit) = (new PreviewSegmentResponse(), options.Value.PreviewLeads);
            // Rows are judged as they arrive: memory does not grow with the number of leads.
            var leads = tx.Connection.QueryUnbufferedAsync<LeadRow>(
                """
                select * from lead where workspace_id = @workspace and profile_version > 0 and merged_into is null and erase_time is null
                order by lead_id desc limit @limit
                """,
                new { workspace = tx.WorkspaceId, limit = limit + 1 });
            await foreach (var lead in leads.WithCancellation(tx.CancellationToken))
            {
                if (response.EvaluatedCount == limit)
                {
                    response.Truncated = true;
                    break;
                }

                response.EvaluatedCount++;
                if (condition.Holds(LeadStore.Facts(lead), tx.Now))
                {
                    response.Count++;
                    if (response.Sample.Count < PreviewSample)
                    {
                        var member = new SegmentMember { LeadId = lead.LeadId.ToString(), Email = lead.Email ?? "" };
                        member.Stage = Requests.ToStage(lead.Stage);
                        response.Sample.Add(member);
                    }
                }
            }

            return response;
        }, context.CancellationToken);
    }

    public override async Task<ListSegmentMembersResponse> ListSegmentMembers(ListSegmentMembersRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.SegmentId, "segmentId");
        var query = ListQuery.Parse(MemberFields, request.PageSize, request.PageToken, null, null, "enterTime", id.ToString()).OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            (await Find(tx, id)).OrThrow();
            return await tx.Connection.QueryAsync<ListedMember>(new CommandDefinition(
                $"""
                select m.lead_id, m.enter_time, l.email, l.stage, {query.PageKey}
                from segment_member m join lead l on l.workspace_id = m.workspace_id and l.lead_id = m.lead_id
                where m.segment_id = @segment and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                new DynamicParameters(query.Parameters).With("segment", id),
                cancellationToken: tx.CancellationToken));
        }, context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new()
        {
            Members =
            {
                page.Select(row => new SegmentMember
                {
                    LeadId = row.LeadId.ToString(),
                    Email = row.Email ?? "",
                    Stage = Requests.ToStage(row.Stage),
                    EnterTime = row.EnterTime.ToTimestamp(),
                }),
            },
            NextPageToken = next,
        };
    }

    private static void CheckCondition(Violations violations, string condition)
    {
        foreach (var violation in Condition.Parse(condition, LeadFacts.Catalog).Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }
    }

    private static async Task<SegmentRow?> Lock(Transaction<NurtureDbContext> tx, Guid id) => (await tx.Db.Segments.FromSqlRaw(
        "select * from segment where workspace_id = @workspace and id = @id for update",
        new NpgsqlParameter("workspace", tx.WorkspaceId),
        new NpgsqlParameter("id", id)).ToListAsync(tx.CancellationToken)).SingleOrDefault();

    private static async Task<Result<Segment>> Find(Transaction<NurtureDbContext> tx, Guid id)
    {
        var row = await tx.Connection.QuerySingleOrDefaultAsync<ListedSegment>(new CommandDefinition(
            $"select s.*, {MemberCount} from segment s where s.id = @id",
            new { id },
            cancellationToken: tx.CancellationToken));
        return row is null ? Error.NotFound("Segment", id) : ToProto(row.ToRow(), row.MemberCount);
    }

    private static Segment ToProto(SegmentRow row, long members) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        Condition = row.Condition,
        MemberCount = members,
        Evaluated = row.EvaluatedVersion == row.Version,
        CreateTime = row.CreateTime.ToTimestamp(),
        UpdateTime = row.UpdateTime.ToTimestamp(),
    };

    private sealed class ListedSegment
    {
        public Guid Id { get; init; }

        public string DisplayName { get; init; } = "";

        public string Condition { get; init; } = "";

        public int Version { get; init; }

        public int EvaluatedVersion { get; init; }

        public DateTimeOffset CreateTime { get; init; }

        public DateTimeOffset UpdateTime { get; init; }

        public long MemberCount { get; init; }

        public string[] PageKey { get; init; } = [];

        public SegmentRow ToRow() => new()
        {
            WorkspaceId = Guid.Empty,
            Id = Id,
            DisplayName = DisplayName,
            Condition = Condition,
            Version = Version,
            EvaluatedVersion = EvaluatedVersion,
            CreateTime = CreateTime,
            UpdateTime = UpdateTime,
        };
    }

    private sealed class ListedMember
    {
        public Guid LeadId { get; init; }

        public DateTimeOffset EnterTime { get; init; }

        public string? Email { get; init; }

        public string? Stage { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
