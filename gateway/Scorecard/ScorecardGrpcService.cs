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
    UnitOfWork<GatewayDbContext> work, ServiceMetrics metrics, TimeProvider time, IOptions<GatewayOptions> options, ILogger<ScorecardGrpcService> logger)
    : ReportsService.ReportsServiceBase
{
    public override async Task<V1.Scorecard> GetScorecard(GetScorecardRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var granularity = request.Granularity == ProtoGranularity.Unspecified ? ProtoGranularity.Month : request.Granularity;
        var period = ReportPeriod.Create(request.From, request.To, granularity.ToKernel(), caller.TimeZone).OrThrow();
        var before = ScorecardJudge.Before(period.Granules[0].Start, granularity.ToKernel());
        var targets = await Targets(caller.WorkspaceId, granularity, context.CancellationToken);
        var answers = await Task.WhenAll(RouteTable.Services.Select(service => Ask(service, request, granularity, before, caller, context.CancellationToken)));

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

        return card;
    }

    private async Task<(QueryMetricsResponse Current, QueryMetricsResponse Previous)?> Ask(
        string service, GetScorecardRequest request, ProtoGranularity granularity, DateOnly before, Caller caller, CancellationToken cancellationToken)
    {
        var deadline = TimeSpan.FromSeconds(options.Value.ScorecardSeconds);
        var current = new QueryMetricsRequest { Service = service, From = request.From, To = request.To, Granularity = granularity };
        var previous = new QueryMetricsRequest { Service = service, From = ScorecardJudge.Text(before), To = request.From, Granularity = granularity };
        try
        {
            var answers = await Task.WhenAll(
                metrics.Ask(service, current, caller, deadline, cancellationToken), metrics.Ask(service, previous, caller, deadline, cancellationToken));
            return (answers[0], answers[1]);
        }
        catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnavailable(service, exception.Status.Detail, exception);
            return null;
        }
    }

    private Task<Dictionary<(string, string), MetricTarget>> Targets(Guid workspaceId, ProtoGranularity granularity, CancellationToken cancellationToken)
    {
        var name = TargetsGrpcService.Name(granularity);
        return work.Read(workspaceId, tx => tx.Db.Set<MetricTarget>().Where(target => target.WorkspaceId == workspaceId && target.Granularity == name)
            .ToDictionaryAsync(target => (target.Service, target.Metric), tx.CancellationToken), cancellationToken);
    }

    [LoggerMessage(3010, LogLevel.Warning, "The scorecard goes without {Service}: {Reason}")]
    private partial void LogUnavailable(string service, string reason, Exception exception);
}
