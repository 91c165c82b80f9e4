using Dapper;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.RunLoyalty;

/// <summary>Loyalty programs, their members and the points ledger.</summary>
public sealed class LoyaltyGrpcService(UnitOfWork<RetentionDbContext> work) : LoyaltyService.LoyaltyServiceBase
{
    private const int MaxTiers = 20;

    private static readonly ListFields ProgramFields = new ListFields("id", "p.id")
        .Sortable("createTime", "p.create_time", FieldKind.Time).Sortable("displayName", "p.display_name");

    private static readonly ListFields MemberFields = new ListFields("customerId", "m.customer_id")
        .Sortable("balance", "m.balance", FieldKind.Whole);

    public override Task<ListLoyaltyProgramsResponse> ListLoyaltyPrograms(ListLoyaltyProgramsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(ProgramFields, request.PageSize, request.PageToken, null, request.OrderBy, "id desc").OrThrow();
        return work.Read(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(tx, "loyalty_program p", "p.id", query);
                var rows = await tx.Db.LoyaltyPrograms.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
                    .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
                var counts = await tx.Db.LoyaltyMembers.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.ProgramId))
                    .GroupBy(row => row.ProgramId).ToDictionaryAsync(group => group.Key, group => group.LongCount(), tx.CancellationToken);
                return new ListLoyaltyProgramsResponse
                {
                    LoyaltyPrograms = { ids.Select(id => ToProto(rows[id], counts.GetValueOrDefault(id))) },
                    NextPageToken = next
                };
            },
            context.CancellationToken);
    }

    public override async Task<LoyaltyProgram> GetLoyaltyProgram(GetLoyaltyProgramRequest request, ServerCallContext context)
    {
        var id = Id(request.Id, "id");
        return (await work.Read<Result<LoyaltyProgram>>(
            context.Caller().WorkspaceId,
            async tx => await Find(tx, id) is { } row ? ToProto(row, await Members(tx, id)) : Error.NotFound("Loyalty program", id),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<LoyaltyProgram> CreateLoyaltyProgram(CreateLoyaltyProgramRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        Check(violations, request.Tiers);
        violations.OrThrow();
        return (await work.RunIdempotent<LoyaltyProgram>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            tx =>
            {
                var row = new LoyaltyProgramRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = tx.NewId(),
                    DisplayName = request.DisplayName,
                    Tiers = Tiers(request.Tiers),
                    CreateTime = tx.Now
                };
                tx.Db.LoyaltyPrograms.Add(row);
                return Task.FromResult<Result<LoyaltyProgram>>(ToProto(row, 0));
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<LoyaltyProgram> UpdateLoyaltyProgram(UpdateLoyaltyProgramRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        Check(violations, request.Tiers);
        violations.OrThrow();
        return (await work.RunIdempotent<LoyaltyProgram>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await Find(tx, id) is not { } row)
                {
                    return Error.NotFound("Loyalty program", id);
                }

                row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
                row.Tiers = request.Tiers.Count > 0 ? Tiers(request.Tiers) : row.Tiers;
                return ToProto(row, await Members(tx, id));
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> DeleteLoyaltyProgram(DeleteLoyaltyProgramRequest request, ServerCallContext context)
    {
        var id = Id(request.Id, "id");
        return (await work.RunIdempotent<Empty>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx => await tx.Connection.ExecuteAsync(
                """
                delete from loyalty_entry where workspace_id = @workspaceId and program_id = @id;
                delete from loyalty_member where workspace_id = @workspaceId and program_id = @id;
                """,
                new { workspaceId = tx.WorkspaceId, id }) >= 0
                && await tx.Db.LoyaltyPrograms.Where(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id)
                    .ExecuteDeleteAsync(tx.CancellationToken) == 1
                    ? new Empty()
                    : Error.NotFound("Loyalty program", id),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<LoyaltyMember> AddLoyaltyPoints(AddLoyaltyPointsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.ProgramId, "programId", out var programId);
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.Require(
            request.Points != 0 && Math.Abs((decimal)request.Points) <= 1_000_000_000, "points",
            "points must be between −1,000,000,000 and 1,000,000,000 and not 0.");
        violations.LimitText(request.Reason, "reason", 500);
        violations.OrThrow();
        return (await work.RunIdempotent<LoyaltyMember>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await Find(tx, programId) is not { } program)
                {
                    return Error.NotFound("Loyalty program", programId);
                }

                if (await CustomerLedger.Lock(tx, customerId) is null)
                {
                    return Error.NotFound("Customer", customerId);
                }

                return await Add(tx, program, customerId, request.Points, request.Reason);
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ListLoyaltyMembersResponse> ListLoyaltyMembers(ListLoyaltyMembersRequest request, ServerCallContext context)
    {
        var programId = Id(request.ProgramId, "programId");
        var query = ListQuery.Parse(
            MemberFields, request.PageSize, request.PageToken, null, request.OrderBy, "balance desc", request.ProgramId).OrThrow();
        return (await work.Read<Result<ListLoyaltyMembersResponse>>(
            context.Caller().WorkspaceId,
            async tx =>
            {
                if (await Find(tx, programId) is not { } program)
                {
                    return Error.NotFound("Loyalty program", programId);
                }

                var (ids, next) = await Pages.Ids(tx, "loyalty_member m", "m.customer_id", query, "m.program_id = @parentId", programId);
                var rows = await tx.Db.LoyaltyMembers.Where(
                    row => row.WorkspaceId == tx.WorkspaceId && row.ProgramId == programId && ids.Contains(row.CustomerId))
                    .ToDictionaryAsync(row => row.CustomerId, tx.CancellationToken);
                return new ListLoyaltyMembersResponse { Members = { ids.Select(id => ToProto(rows[id], program)) }, NextPageToken = next };
            },
            context.CancellationToken)).OrThrow();
    }

    /// <summary>Runs under the customer's lock.</summary>
    private static async Task<Result<LoyaltyMember>> Add(
        Transaction<RetentionDbContext> tx, LoyaltyProgramRow program, Guid customerId, long points, string reason)
    {
        var member = await tx.Db.LoyaltyMembers.SingleOrDefaultAsync(
            row => row.WorkspaceId == tx.WorkspaceId && row.ProgramId == program.Id && row.CustomerId == customerId, tx.CancellationToken);
        if (member is null)
        {
            member = new() { WorkspaceId = tx.WorkspaceId, ProgramId = program.Id, CustomerId = customerId, JoinTime = tx.Now };
            tx.Db.LoyaltyMembers.Add(member);
        }

        if (member.Balance + points < 0)
        {
            return Error.Precondition($"The balance is {member.Balance}; it cannot fall below 0.");
        }

        member.Balance += points;
        tx.Db.LoyaltyEntries.Add(new()
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            ProgramId = program.Id,
            CustomerId = customerId,
            Points = points,
            Reason = reason,
            Time = tx.Now,
        });
        return ToProto(member, program);
    }

    private static void Check(Violations violations, RepeatedField<LoyaltyTier> tiers)
    {
        violations.Require(tiers.Count <= MaxTiers, "tiers", $"At most {MaxTiers} tiers are accepted.");
        for (var index = 0; index < tiers.Count; index++)
        {
            violations.RequireText(tiers[index].Name, $"tiers[{index}].name", 100);
            violations.Require(tiers[index].MinPoints >= 0, $"tiers[{index}].minPoints", "minPoints must be at least 0.");
        }

        violations.Require(tiers.DistinctBy(tier => tier.Name).Count() == tiers.Count, "tiers", "Tiers must have different names.");
        violations.Require(tiers.DistinctBy(tier => tier.MinPoints).Count() == tiers.Count, "tiers", "Tiers must have different minimums.");
    }

    private static List<LoyaltyTierPart> Tiers(IEnumerable<LoyaltyTier> tiers) =>
        [.. tiers.OrderBy(tier => tier.MinPoints).Select(tier => new LoyaltyTierPart { Name = tier.Name, MinPoints = tier.MinPoints })];

    private static Guid Id(string text, string field)
    {
        var violations = new Violations();
        violations.RequireId(text, field, out var id);
        violations.OrThrow();
        return id;
    }

    private static Task<LoyaltyProgramRow?> Find(Transaction<RetentionDbContext> tx, Guid id) =>
        tx.Db.LoyaltyPrograms.SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id, tx.CancellationToken);

    private static Task<long> Members(Transaction<RetentionDbContext> tx, Guid id) =>
        tx.Db.LoyaltyMembers.LongCountAsync(row => row.WorkspaceId == tx.WorkspaceId && row.ProgramId == id, tx.CancellationToken);

    private static LoyaltyProgram ToProto(LoyaltyProgramRow row, long members) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        Tiers = { row.Tiers.Select(tier => new LoyaltyTier { Name = tier.Name, MinPoints = tier.MinPoints }) },
        MemberCount = members,
        CreateTime = row.CreateTime.ToProto(),
    };

    private static LoyaltyMember ToProto(LoyaltyMemberRow row, LoyaltyProgramRow program) => new()
    {
        CustomerId = row.CustomerId.ToString(),
        Balance = row.Balance,
        Tier = program.Tiers.LastOrDefault(tier => tier.MinPoints <= row.Balance)?.Name ?? "",
        JoinTime = row.JoinTime.ToProto(),
    };
}
