using Dapper;
using Lifecycle.Conversion.Domain.Forecasts;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.SalesReports;

/// <summary>What the open deals will bring, by the chances that pipelines state and by those that history tells.</summary>
public sealed class ForecastReports(UnitOfWork<ConversionDbContext> work, OpportunityStalls stalls)
{
    public const int DefaultHistoryDays = 365;

    public const double DefaultLevel = 0.9;

    private const string Overdue = "OVERDUE";
    private const string Undated = "UNDATED";

    public async Task<Result<ForecastReport>> Handle(GetForecastReportRequest request, Caller caller, CancellationToken ct)
    {
        var violations = new Violations();
        Guid? pipelineId = request.PipelineId.Length > 0 && violations.RequireId(request.PipelineId, "pipelineId", out var id) ? id : null;
        var days = request.HistoryDays == 0 ? DefaultHistoryDays : request.HistoryDays;
        violations.Require(days is >= 30 and <= 1825, "historyDays", "historyDays must lie between 30 and 1825.");
        var level = request.HasLevel ? request.Level : DefaultLevel;
        violations.Require(level is > 0 and < 1, "level", "level must lie between 0 and 1, both excluded.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.Read<Result<ForecastReport>>(caller.WorkspaceId, async tx =>
        {
            var pipelines = await tx.Db.Pipelines.Where(row => pipelineId == null || row.Id == pipelineId)
                .OrderBy(row => row.CreateTime).ThenBy(row => row.Id).ToListAsync(ct);
            if (pipelineId is not null && pipelines.Count == 0)
            {
                return Error.NotFound("Pipeline", pipelineId);
            }

            var history = (await History(tx, pipelineId, days)).ToDictionary(stage => (stage.PipelineId, stage.Stage));
            var open = (await Open(tx, pipelineId, request.Owner, days)).AsList();
            if (open.Select(deal => deal.CurrencyCode).FirstOrDefault(code => code != caller.CurrencyCode) is { } other)
            {
                return Error.Precondition(
                    $"Open opportunities are told in {other} and {caller.CurrencyCode}; amounts of different currencies are not mixed.");
            }

            return new Builder(caller, level, stalls, pipelines, history, open, LocalDay(tx.Now, caller.TimeZone)).Build();
        }, ct);
    }

    private static DateOnly LocalDay(DateTimeOffset now, TimeZoneInfo timeZone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, timeZone).DateTime);

    /// <summary>Deals that were in a stage and closed within the history, and how long stays there were.</summary>
    private Task<IEnumerable<StageHistory>> History(Transaction<ConversionDbContext> tx, Guid? pipelineId, int days)
    {
        var parameters = new DynamicParameters(new { workspace = tx.WorkspaceId, pipelineId });
        parameters.AddDynamicParams(stalls.Parameters(tx.Now, days));
        return tx.Connection.QueryAsync<StageHistory>(new CommandDefinition(
            $"""
            {OpportunityStalls.Limits},
            ended as (
              select c.pipeline_id, c.to_stage as stage, count(distinct o.id) filter (where o.state = 'WON') as won,
                count(distinct o.id) filter (where o.state = 'LOST') as lost
              from opportunity o
              join opportunity_change c on c.workspace_id = o.workspace_id and c.opportunity_id = o.id and c.kind in ('OPENED', 'ADVANCED', 'REOPENED')
              where o.workspace_id = @workspace and o.close_time >= @staysFrom and o.close_time <= @staysTo and c.to_stage <> ''
                and (@pipelineId::uuid is null or o.pipeline_id = @pipelineId)
              group by c.pipeline_id, c.to_stage)
            select coalesce(e.pipeline_id, l.pipeline_id) as pipeline_id, coalesce(e.stage, l.stage) as stage,
              coalesce(e.won, 0) as won, coalesce(e.lost, 0) as lost, coalesce(l.stays, 0) as stays, l.median, l.p90
            from ended e full join stay_limit l on l.pipeline_id = e.pipeline_id and l.stage = e.stage
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
    }

    private Task<IEnumerable<Deal>> Open(Transaction<ConversionDbContext> tx, Guid? pipelineId, string owner, int days)
    {
        var parameters = new DynamicParameters(new { workspace = tx.WorkspaceId, pipelineId, owner = owner.Length > 0 ? owner : null });
        parameters.AddDynamicParams(stalls.Parameters(tx.Now, days));
        return tx.Connection.QueryAsync<Deal>(new CommandDefinition(
            $"""
            {OpportunityStalls.Limits}
            select o.pipeline_id, o.stage, o.amount, o.currency_code, o.expected_close_date, {OpportunityStalls.IsStalled} as stalled
            from opportunity o
            where o.workspace_id = @workspace and o.state = 'OPEN' and (@pipelineId::uuid is null or o.pipeline_id = @pipelineId)
              and (@owner::text is null or o.owner = @owner)
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
    }

    /// <summary>Puts the figures together.</summary>
    private sealed class Builder(
        Caller caller, double level, OpportunityStalls stalls, IReadOnlyList<PipelineRow> pipelines,
        Dictionary<(Guid Pipeline, string Stage), StageHistory> history, IReadOnlyList<Deal> open, DateOnly today)
    {
        private readonly List<(PipelineRow Pipeline, string Stage, StageRecord Record)> stages = [];

        public ForecastReport Build()
        {
            foreach (var pipeline in pipelines)
            {
                foreach (var step in pipeline.Steps())
                {
                    var known = history.GetValueOrDefault((pipeline.Id, step.Name));
                    stages.Add((pipeline, step.Name, new((double)step.Probability, known?.Won ?? 0, known?.Lost ?? 0)));
                }
            }

            var records = stages.Select(stage => stage.Record).ToArray();
            var index = stages.Select((stage, position) => (Key: (stage.Pipeline.Id, stage.Stage), position))
                .ToDictionary(pair => pair.Key, pair => pair.position);
            ForecastSum Sum(IEnumerable<Deal> deals) => Forecast.Sum(
                deals.Select(deal => new OpenDeal(index[(deal.PipelineId, deal.Stage)], deal.Amount)), records, level,
                Money.MinorDigits(caller.CurrencyCode));
            var report = new ForecastReport
            {
                Total = Row("TOTAL", Sum(open)),
                Note = open.Count == 0 ? "No opportunity is open." : "",
            };
            report.Rows.AddRange(open.GroupBy(Month)
                .OrderBy(month => month.Key switch { Overdue => "0", Undated => "a", _ => month.Key }, StringComparer.Ordinal)
                .Select(month => Row(month.Key, Sum(month))));
            var byStage = open.ToLookup(deal => (deal.PipelineId, deal.Stage));
            report.Stages.AddRange(stages.Select(stage =>
                Stage(stage.Pipeline, stage.Stage, stage.Record, byStage[(stage.Pipeline.Id, stage.Stage)].ToArray())));
            return report;
        }

        private string Month(Deal deal) => deal.ExpectedCloseDate switch
        {
            null => Undated,
            { } day when day < today => Overdue,
            { } day => new DateOnly(day.Year, day.Month, 1).ToString("yyyy-MM-dd", null),
        };

        private ForecastRow Row(string month, ForecastSum sum) => new()
        {
            Month = month,
            Count = sum.Count,
            Amount = Amount(sum.Amount),
            WeightedAmount = Amount(sum.Weighted),
            ExpectedAmount = Amount(sum.Expected),
            LowAmount = Amount(sum.Low),
            HighAmount = Amount(sum.High),
        };

        private ForecastStage Stage(PipelineRow pipeline, string name, StageRecord record, Deal[] deals)
        {
            var known = history.GetValueOrDefault((pipeline.Id, name));
            var stage = new ForecastStage
            {
                PipelineId = pipeline.Id.ToString(),
                Pipeline = pipeline.DisplayName,
                Stage = name,
                Probability = record.Stated,
                Won = record.Won,
                Lost = record.Lost,
                ExpectedProbability = record.Expected,
                Open = deals.Length,
                OpenAmount = Amount(deals.Sum(deal => deal.Amount)),
                StallDays = known is { P90: { } limit } && known.Stays >= stalls.MinimumStays ? limit / 86_400 : stalls.StallDays,
                Stalled = deals.Count(deal => deal.Stalled),
            };
            if (Forecast.Wilson(record.Won, record.Won + record.Lost, level) is var (low, high))
            {
                stage.WinRate = (double)record.Won / (record.Won + record.Lost);
                (stage.WinRateLow, stage.WinRateHigh) = (low, high);
            }

            if (known is { Median: { } median, P90: { } p90 })
            {
                (stage.MedianDays, stage.P90Days) = (median / 86_400, p90 / 86_400);
            }

            return stage;
        }

        private Common.V1.Money Amount(decimal amount) => new Money(caller.CurrencyCode, amount).ToProto();
    }

    private sealed class StageHistory
    {
        public Guid PipelineId { get; init; }

        public string Stage { get; init; } = "";

        public long Won { get; init; }

        public long Lost { get; init; }

        public long Stays { get; init; }

        public double? Median { get; init; }

        public double? P90 { get; init; }
    }

    private sealed class Deal
    {
        public Guid PipelineId { get; init; }

        public string Stage { get; init; } = "";

        public decimal Amount { get; init; }

        public string CurrencyCode { get; init; } = "";

        public DateOnly? ExpectedCloseDate { get; init; }

        public bool Stalled { get; init; }
    }
}
