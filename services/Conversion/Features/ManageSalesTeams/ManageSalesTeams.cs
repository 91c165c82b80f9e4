using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.ManageSalesTeams;

/// <summary>Makes, changes and removes sales teams.</summary>
public sealed class ManageSalesTeams(UnitOfWork<ConversionDbContext> work)
{
    public async Task<Result<SalesTeam>> Create(CreateSalesTeamRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        CheckRule(request.Rule, violations);
        var members = Members(request.Members);
        SalesTeams.Check(members, "members", violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<SalesTeam>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await tx.Db.SalesTeams.CountAsync(ct) >= SalesTeams.MaxTeams)
            {
                return Error.Precondition($"The workspace has {SalesTeams.MaxTeams} teams; that is the most.");
            }

            var row = new SalesTeamRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                DisplayName = request.DisplayName.Trim(),
                Rule = request.Rule.Trim(),
                Priority = request.Priority,
                Members = Json(members),
                CreateTime = tx.Now,
            };
            tx.Db.SalesTeams.Add(row);
            return row.ToProto();
        }, ct);
    }

    public async Task<Result<SalesTeam>> Update(UpdateSalesTeamRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        _ = !request.HasDisplayName || violations.RequireText(request.DisplayName, "displayName");
        CheckRule(request.Rule, violations);
        var members = Members(request.Members);
        if (members.Count > 0)
        {
            SalesTeams.Check(members, "members", violations);
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<SalesTeam>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var rows = await tx.Db.SalesTeams
                .FromSql($"select * from sales_team where workspace_id = {tx.WorkspaceId} and id = {id} for update").ToListAsync(ct);
            if (rows is not [var row])
            {
                return Error.NotFound("Sales team", id);
            }

            row.DisplayName = request.HasDisplayName ? request.DisplayName.Trim() : row.DisplayName;
            row.Rule = request.HasRule ? request.Rule.Trim() : row.Rule;
            row.Priority = request.HasPriority ? request.Priority : row.Priority;
            if (members.Count > 0)
            {
                (row.Turn, row.Members) = (SalesTeams.Keep(row.Sellers(), members, row.Turn), Json(members));
            }

            return row.ToProto();
        }, ct);
    }

    public async Task<Result<Empty>> Delete(DeleteSalesTeamRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        if (!violations.RequireId(request.Id, "id", out var id))
        {
            return violations.ToError()!;
        }

        return await work.RunIdempotent<Empty>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
            await tx.Db.SalesTeams.Where(row => row.Id == id).ExecuteDeleteAsync(ct) == 0 ? Error.NotFound("Sales team", id)
                : new Empty(), ct);
    }

    private static void CheckRule(string rule, Violations violations)
    {
        if (!string.IsNullOrWhiteSpace(rule))
        {
            foreach (var violation in Condition.Parse(rule, TerritoryLead.Catalog, "rule").Error?.Violations ?? [])
            {
                violations.Add(violation.Field, violation.Message);
            }
        }
    }

    private static List<TeamMember> Members(IEnumerable<SalesTeamMember> members) =>
        [.. members.Select(member => new TeamMember(member.Owner.Trim(), member.Away))];

    private static string Json(IReadOnlyList<TeamMember> members) => JsonSerializer.Serialize(members, JsonSerializerOptions.Web);
}

/// <summary>Teams as messages.</summary>
public static class SalesTeamMessages
{
    public static SalesTeam ToProto(this SalesTeamRow row) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        Rule = row.Rule,
        Priority = row.Priority,
        Members = { row.Sellers().Select(member => new SalesTeamMember { Owner = member.Owner, Away = member.Away }) },
        CreateTime = row.CreateTime.ToProto(),
    };
}
