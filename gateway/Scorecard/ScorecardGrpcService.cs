using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Gateway.Routes;
using Lifecycle.Gateway.Storage;
using Lifecycle.Gateway.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using ProtoGranularity = Lifecycle.Common.V1.Granularity;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>Asks all services at once and lays their metrics beside the granule before and the targets.</summary>
internal sealed partial class ScorecardGrpcService(
    UnitOfWork<GatewayDbContext> work, ServiceMetrics metrics, TargetOutlooks outlooks, TimeProvider time, IOptions<GatewayOptions> options,
    ILogger<ScorecardGrpcService> logger)
    : ReportsService.ReportsServiceBase
{
    public override async Task<V1.Scorecard> GetScorecard(GetScorecardRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var granularity = request.Granularity == ProtoGranularity.Unspecified ? ProtoGranularity.Month : request.Granularity;
        var period = ReportPeriod.Create(request.From, request.To, granularity.ToKernel(), caller.TimeZone).OrThrow();
        var before = ScorecardJudge.Before(period.Granules[0].Start, granularity.ToKernel());
        var all = await Targets(caller.WorkspaceId, context.CancellationToken);
        var targets = all.Where(target => target.Granularity == TargetsGrpcService.Name(granularity))
            .ToDictionary(target => (target.Service, target.Metric));
        var outlook = Outlooks(caller, all, context.CancellationToken);
        var answers = await Task.WhenAll(
            RouteTable.Services.Select(service => Ask(service, request, granularity, before, caller, context.CancellationToken)));

        var card = new V1.Scorecard { From = request.From, To = request.To, Granularity = granularity };
        var now = time.GetUtcNow();
        foreach (var (service, answer) in RouteTable.Services.Zip(answers))
        {
            if (answer is not { } series)
            {
                card.Unavailable.Add(service);
                continue;
            }

            var previous = series.Previous.Series.ToLookup(one => one.Metric);
            foreach (var one in series.Current.Series)
            {
                var metric = new ScorecardMetric { Service = service, Metric = one.Metric, Unit = one.Unit };
                var last = previous[one.Metric].FirstOrDefault()?.Points.LastOrDefault();
                metric.Points.AddRange(ScorecardJudge.Points(one, last, period, targets.GetValueOrDefault((service, one.Metric)), now));
                (one.Kind == MetricKind.Activity ? card.Activities : card.Outcomes).Add(metric);
            }
        }

        ScorecardRisks.Add(card, granularity.ToKernel(), await outlook);
        return card;
    }

    /// <summary>Where the running periods are heading; nothing where a service that is asked does not answer.</summary>
    private async Task<IReadOnlyList<TargetOutlook>> Outlooks(
        Caller caller, IReadOnlyCollection<MetricTarget> targets, CancellationToken cancellationToken)
    {
        try
        {
            return await outlooks.Evaluate(caller, targets, time.GetUtcNow(), cancellationToken);
        }
        catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogWithoutOutlook(exception.Status.Detail);
            return [];
        }
    }

    private async Task<(QueryMetricsResponse Current, QueryMetricsResponse Previous)?> Ask(
        string service, GetScorecardRequest request, ProtoGranularity granularity, DateOnly before, Caller caller,
        CancellationToken cancellationToken)
    {
        var deadline = TimeSpan.FromSeconds(options.Value.ScorecardSeconds);
        var current = new QueryMetricsRequest { Service = service, From = request.From, To = request.To, Granularity = granularity };
        var previous =
            new QueryMetricsRequest { Service = service, From = ScorecardJudge.Text(before), To = request.From, Granularity = granularity };
        try
        {
            var answers = await Task.WhenAll(
                metrics.Ask(service, current, caller, deadline, cancellationToken),
                metrics.Ask(service, previous, caller, deadline, cancellationToken));
            return (answers[0], answers[1]);
        }
        catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnavailable(service, exception.Status.Detail, exception);
            return null;
        }
    }

    private Task<List<MetricTarget>> Targets(Guid workspaceId, CancellationToken cancellationToken) => work.Read(
        workspaceId, tx => tx.Db.Set<MetricTarget>().Where(target => target.WorkspaceId == workspaceId).ToListAsync(tx.CancellationToken),
        cancellationToken);

    [LoggerMessage(3010, LogLevel.Warning, "The scorecard goes without {Service}: {Reason}")]
    private partial void LogUnavailable(string service, string reason, Exception exception);

    [LoggerMessage(3011, LogLevel.Warning, "The scorecard goes without forecasts: {Reason}")]
    private partial void LogWithoutOutlook(string reason);
}
