using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

using Lifecycle.Kernel;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>Segments over gRPC and REST.</summary>
internal sealed partial class SegmentGrpcService(
    UnitOfWork<NurtureDbContext> unitOfWork,
    PreviewSegmentHandler preview,
    ChangeListHandler lists,
    ImportMembersHandler import,
    WorkSignal signal) : SegmentService.SegmentServiceBase
{
    private const string MemberCount =
        "(select count(*) from segment_member m where m.workspace_id = s.workspace_id and m.segment_id = s.id) as member_count";

    private static readonly ListFields Fields = new ListFields("id", "s.id")
        .Sortable("displayName", "s.display_name").Add("condition", "s.condition")
        .Sortable("createTime", "s.create_time", FieldKind.Time).Sortable("updateTime", "s.update_time", FieldKind.Time);

    public override async Task<Segment> CreateSegment(CreateSegmentRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        var isList = request.Kind == Segment.Types.Kind.List;
        if (!isList)
        {
            SegmentRules.CheckCondition(violations, request.Condition);
        }
        else
        {
            violations.Require(request.Condition.Length == 0, "condition", "A list has no condition.");
        }

        violations.OrThrow();
        var caller = context.Caller();
        var result = await unitOfWork.RunIdempotent<Segment>(caller.WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            await SegmentStore.Changed(tx);
            var id = tx.NewId();
            if (!isList && await SegmentRules.CheckReferences(tx, id, request.DisplayName, request.Condition) is { } fault)
            {
                return fault;
            }

            var row = new SegmentRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = id,
                DisplayName = request.DisplayName,
                IsList = isList,
                Condition = request.Condition,
                Version = 1,
                EvaluatedVersion = isList ? 1 : 0,
                CreateTime = tx.Now,
                UpdateTime = tx.Now,
            };
            tx.Db.Segments.Add(row);
            return ToProto(row, 0);
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
            SegmentRules.CheckCondition(violations, request.Condition);
        }

        violations.OrThrow();
        var caller = context.Caller();
        var result = await unitOfWork.RunIdempotent(caller.WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            await SegmentStore.Changed(tx);
            if (await Lock(tx, id) is not { } row)
            {
                return Error.NotFound("Segment", id);
            }

            if (request.HasCondition && row.IsList)
            {
                return Error.Precondition("A list has no condition; its members are named.");
            }

            var displayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
            if (request.HasCondition && await SegmentRules.CheckReferences(tx, id, displayName, request.Condition) is { } fault)
            {
                return fault;
            }

            row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
            if (request.HasCondition && request.Condition != row.Condition)
            {
                (row.Condition, row.Version, row.EvaluatedLead, row.JudgedLeads) = (request.Condition, row.Version + 1, null, 0);
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
            await SegmentStore.Changed(tx);
            if (await Lock(tx, id) is not { } row)
            {
                return Error.NotFound("Segment", id);
            }

            if (await SegmentRules.CheckUnused(tx, id) is { } used)
            {
                return used;
            }

            // Nobody who still judges by the segment leaves members behind.
            await SegmentLocks.TakeAlone(tx);

            tx.Db.Segments.Remove(row);
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                delete from segment_member where workspace_id = @workspace and segment_id = @id;
                delete from segment_timer where workspace_id = @workspace and segment_id = @id;
                """,
                new { workspace = tx.WorkspaceId, id },
                cancellationToken: tx.CancellationToken));
            return new Empty();
        }, context.CancellationToken)).OrThrow();
    }

    public override Task<PreviewSegmentResponse> PreviewSegment(PreviewSegmentRequest request, ServerCallContext context) =>
        preview.Preview(context.Caller().WorkspaceId, request, context.CancellationToken);

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
        Kind = row.IsList ? Segment.Types.Kind.List : Segment.Types.Kind.Condition,
        JudgedCount = row.EvaluatedVersion == row.Version ? 0 : row.JudgedLeads,
    };

    private sealed class ListedSegment
    {
        public Guid Id { get; init; }

        public string DisplayName { get; init; } = "";

        public bool IsList { get; init; }

        public long JudgedLeads { get; init; }

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
            IsList = IsList,
            JudgedLeads = JudgedLeads,
            Version = Version,
            EvaluatedVersion = EvaluatedVersion,
            CreateTime = CreateTime,
            UpdateTime = UpdateTime,
        };
    }
}
