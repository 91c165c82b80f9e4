using Dapper;
using Grpc.Core;
using Lifecycle.Contracts;
using Lifecycle.Gateway.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Level = Lifecycle.Gateway.V1.TargetWarning.Types.Level;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>
/// Looks at the targets of each workspace when its time has come, and tells once per target, period and level that it is likely to be
/// missed. The times are rows: a restart forgets none, and of several replicas one takes each. Where a service is away the look comes again
/// soon.
/// </summary>
internal sealed partial class TargetWatcher(
    UnitOfWork<GatewayDbContext> work, TargetOutlooks outlooks, IOptions<GatewayOptions> options, TimeProvider time,
    ILogger<TargetWatcher> logger)
    : WorkspaceJob<GatewayDbContext>(work, TimeSpan.FromSeconds(options.Value.TargetPollSeconds), time, logger)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        var (targets, caller) = await Claim(workspaceId, ct);
        if (caller is null)
        {
            return;
        }

        try
        {
            var found = await outlooks.Evaluate(caller, targets, Time.GetUtcNow(), ct);
            await Work.Run(workspaceId, tx => Tell(tx, found.Where(outlook => outlook.Level != Level.Unspecified)), ct);
        }
        catch (RpcException exception) when (!ct.IsCancellationRequested)
        {
            LogAway(Logger, workspaceId, exception.Status.Detail);
        }
    }

    /// <summary>Takes the workspace's turn by moving its time ahead; a caller only where it had come.</summary>
    private async Task<(IReadOnlyList<MetricTarget> Targets, Caller? Caller)> Claim(Guid workspaceId, CancellationToken ct)
    {
        (IReadOnlyList<MetricTarget>, Caller?) claimed = ([], null);
        await Work.Run(workspaceId, async tx =>
        {
            var taken = await tx.Connection.ExecuteAsync(new CommandDefinition(
                "update target_check set due_time = @lease where workspace_id = @workspaceId and due_time <= @now",
                new { workspaceId, now = tx.Now, lease = tx.Now + Lease },
                cancellationToken: ct));
            if (taken == 1)
            {
                var workspace = await tx.Connection.QuerySingleAsync<(string TimeZone, string CurrencyCode)>(new CommandDefinition(
                    "select time_zone, currency_code from workspace where id = @workspaceId", new { workspaceId }, cancellationToken: ct));
                claimed = (
                    await tx.Db.Set<MetricTarget>().Where(target => target.WorkspaceId == workspaceId).ToListAsync(ct),
                    Caller.Service(
                        "gateway", workspaceId, TimeZoneInfo.FindSystemTimeZoneById(workspace.TimeZone), workspace.CurrencyCode));
            }
        }, ct);
        return claimed;
    }

    private async Task Tell(Transaction<GatewayDbContext> tx, IEnumerable<TargetOutlook> risks)
    {
        foreach (var risk in risks)
        {
            var level = risk.Level.ToString().ToUpperInvariant();
            var granularity = risk.Granularity.ToString().ToUpperInvariant();
            var isNew = await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                insert into target_alert (workspace_id, service, metric, granularity, period_start, target, level, time)
                values (@workspace, @service, @metric, @granularity, @start, @target, @level, @now) on conflict do nothing
                """,
                new { workspace = tx.WorkspaceId, risk.Service, risk.Metric, granularity, risk.Start, risk.Target, level, now = tx.Now },
                cancellationToken: tx.CancellationToken)) == 1;
            if (isNew)
            {
                tx.Publish(new TargetAtRisk(
                    tx.NewId(), tx.WorkspaceId, tx.Now, tx.Now.ToUnixTimeMilliseconds(), risk.Service, risk.Metric,
                    risk.Unit, granularity, risk.Start, risk.End, Exact(risk.Target), risk.IsAtMost, Exact(risk.Value),
                    Exact(risk.Forecast.Value), Exact(risk.Forecast.Low), Exact(risk.Forecast.High),
                    Exact(risk.Forecast.Probability), level));
            }
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            "update target_check set due_time = @next where workspace_id = @workspace",
            new { workspace = tx.WorkspaceId, next = tx.Now + TimeSpan.FromMinutes(options.Value.TargetCheckMinutes) },
            cancellationToken: tx.CancellationToken));
    }

    private static decimal Exact(double value) => Math.Round((decimal)Math.Clamp(value, -1e27, 1e27), 6);

    [LoggerMessage(
        3022, LogLevel.Warning, "The targets of workspace {WorkspaceId} cannot be looked at before all their services answer: {Reason}")]
    private static partial void LogAway(ILogger logger, Guid workspaceId, string reason);
}
