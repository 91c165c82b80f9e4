using Dapper;
using Grpc.Core;
using Lifecycle.Gateway.Routes;
using Lifecycle.Gateway.Storage;
using Lifecycle.Gateway.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using ProtoGranularity = Lifecycle.Common.V1.Granularity;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>Keeps the targets of a workspace.</summary>
internal sealed class TargetsGrpcService(UnitOfWork<GatewayDbContext> work) : TargetsService.TargetsServiceBase
{
    private const int MaxTargets = 500;

    public override Task<Targets> GetTargets(GetTargetsRequest request, ServerCallContext context)
    {
        var workspaceId = context.Caller().WorkspaceId;
        return work.Read(workspaceId, async tx => ToProto(await tx.Db.Set<MetricTarget>().Where(target => target.WorkspaceId == workspaceId)
            .ToListAsync(tx.CancellationToken)), context.CancellationToken);
    }

    public override async Task<Targets> UpdateTargets(UpdateTargetsRequest request, ServerCallContext context)
    {
        var workspaceId = context.Caller().WorkspaceId;
        var rows = Check(request, workspaceId).OrThrow();
        return (await work.RunIdempotent<Targets>(workspaceId, context.Method, request.RequestId, request, async tx =>
        {
            await tx.Db.Set<MetricTarget>().Where(target => target.WorkspaceId == workspaceId).ExecuteDeleteAsync(tx.CancellationToken);
            tx.Db.AddRange(rows);
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                "insert into target_check values (@workspaceId, @now) on conflict (workspace_id) do update set due_time = excluded.due_time",
                new { workspaceId, now = tx.Now },
                cancellationToken: tx.CancellationToken));
            return ToProto(rows);
        }, context.CancellationToken)).OrThrow();
    }

    /// <summary>Name of the enum value, MONTH where nothing is given.</summary>
    public static string Name(ProtoGranularity granularity) => granularity.ToKernel().ToString().ToUpperInvariant();

    private static Result<IReadOnlyList<MetricTarget>> Check(UpdateTargetsRequest request, Guid workspaceId)
    {
        var violations = new Violations();
        violations.Require(request.Targets.Count <= MaxTargets, "targets", $"At most {MaxTargets} targets are kept.");
        var rows = new List<MetricTarget>();
        for (var index = 0; index < request.Targets.Count && index < MaxTargets; index++)
        {
            var (target, at) = (request.Targets[index], $"targets[{index}]");
            violations.Require(
                RouteTable.Services.Contains(target.Service), $"{at}.service",
                $"service must be one of {string.Join(", ", RouteTable.Services)}.");
            violations.RequireText(target.Metric, $"{at}.metric", 60);
            violations.Require(double.IsFinite(target.Value), $"{at}.value", "value must be a finite number.");
            var row = new MetricTarget
            {
                WorkspaceId = workspaceId,
                Service = target.Service,
                Metric = target.Metric,
                Granularity = Name(target.Granularity),
                Value = target.Value,
                IsAtMost = target.Direction == Target.Types.Direction.AtMost,
            };
            violations.Require(
                rows.All(other => (other.Service, other.Metric, other.Granularity) != (row.Service, row.Metric, row.Granularity)),
                at,
                $"The target of {target.Service} {target.Metric} is given twice.");
            rows.Add(row);
        }

        return violations.ToError() is { } error ? error : rows;
    }

    private static Targets ToProto(IEnumerable<MetricTarget> rows)
    {
        var targets = new Targets();
        targets.Targets_.AddRange(rows
            .Select(row => new Target
            {
                Service = row.Service,
                Metric = row.Metric,
                Granularity = Enum.Parse<ProtoGranularity>(row.Granularity, ignoreCase: true),
                Value = row.Value,
                Direction = row.IsAtMost ? Target.Types.Direction.AtMost : Target.Types.Direction.AtLeast,
            })
            .OrderBy(target => target.Service, StringComparer.Ordinal).ThenBy(target => target.Metric, StringComparer.Ordinal)
            .ThenBy(target => target.Granularity));
        return targets;
    }
}
