using Dapper;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Jobs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.RunAttribution;

/// <summary>Asks for runs over all conversions, and tells how far they have come.</summary>
public sealed class AttributionRuns(UnitOfWork<ConversionDbContext> work, AttributionSignal signal)
{
    public async Task<Result<AttributionRun>> Create(
        CreateAttributionRunRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.Require(Enum.IsDefined(request.Model), "model", "model must name an attribution model such as LINEAR.");
        violations.Require(Enum.IsDefined(request.ConversionKind), "conversionKind", "conversionKind must be LEAD, MQL, SQL or CUSTOMER.");
        EvaluateAttribution.EvaluateAttribution.CheckHalfLife(violations, request.HasHalfLifeDays, request.HalfLifeDays);
        ReportQuery.CheckLookback(violations, request.HasLookbackDays, request.LookbackDays, "lookbackDays");
        var dimensions = ReportQuery.ParseDimensions(violations, request.GroupBy);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var kind = request.ConversionKind == ConversionKind.Unspecified ? ConversionKind.Customer : request.ConversionKind;
        var created = await work.RunIdempotent<AttributionRun>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var id = tx.NewId();
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                insert into attribution_run (workspace_id, id, kind, model, half_life_days, lookback_days, dimensions, time_zone, currency_code, state,
                  due_time, create_time)
                values (@workspace, @id, @kind, @model, @halfLife, @lookback, @dimensions, @zone, @currency, 'RUNNING', @now, @now)
                """,
                new
                {
                    workspace = tx.WorkspaceId,
                    id,
                    kind = CreditedDeals.KindName(kind),
                    model = request.Model == AttributionModel.Unspecified ? (int)AttributionKind.FirstTouch : (int)request.Model,
                    halfLife = request.HasHalfLifeDays ? request.HalfLifeDays : AttributionModels.DefaultHalfLifeDays,
                    lookback = request.HasLookbackDays ? request.LookbackDays : await AttributionSettingsStore.Lookback(tx, kind),
                    dimensions = dimensions.Length > 0 ? dimensions : ["channel"],
                    zone = caller.TimeZone.Id,
                    currency = caller.CurrencyCode,
                    now = tx.Now,
                },
                cancellationToken: ct));
            return await Read(tx, id);
        }, ct);
        signal.Wake(caller.WorkspaceId);
        return created;
    }

    public Task<Result<AttributionRun>> Read(Guid workspaceId, Guid id, CancellationToken ct) =>
        work.Read(workspaceId, tx => Read(tx, id), ct);

    private static async Task<Result<AttributionRun>> Read(Transaction<ConversionDbContext> tx, Guid id)
    {
        var row = await tx.Connection.QuerySingleOrDefaultAsync<RunRow>(new CommandDefinition(
            "select * from attribution_run where workspace_id = @workspace and id = @id",
            new { workspace = tx.WorkspaceId, id },
            cancellationToken: tx.CancellationToken));
        if (row is null)
        {
            return Error.NotFound("Attribution run", id);
        }

        var run = row.ToProto();
        if (run.State == AttributionRun.Types.State.Done)
        {
            var credits = await tx.Connection.QueryAsync<CreditRow>(new CommandDefinition(
                """
                select month, group_key, conversions, amount, removal_effect from attribution_run_credit
                where workspace_id = @workspace and run_id = @id order by month, amount desc, conversions desc, group_key
                """,
                new { workspace = tx.WorkspaceId, id },
                cancellationToken: tx.CancellationToken));
            run.Credits.AddRange(credits.Select(credit => credit.ToProto(row)));
        }

        return run;
    }
}

/// <summary>A run as it is stored.</summary>
public sealed class RunRow
{
    public Guid Id { get; init; }

    public string Kind { get; init; } = "";

    public int Model { get; init; }

    public double HalfLifeDays { get; init; }

    public int? LookbackDays { get; init; }

    public string[] Dimensions { get; init; } = [];

    public string TimeZone { get; init; } = "UTC";

    public string CurrencyCode { get; init; } = "";

    public string State { get; init; } = "";

    public long Total { get; init; }

    public long Done { get; init; }

    public int Attempts { get; init; }

    public DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset? FinishTime { get; init; }

    public string? Error { get; init; }

    public ConversionKind ConversionKind => Enum.Parse<ConversionKind>(Kind, ignoreCase: true);

    public AttributionRun ToProto()
    {
        var run = new AttributionRun
        {
            Id = Id.ToString(),
            State = Enum.Parse<AttributionRun.Types.State>(State, ignoreCase: true),
            Done = Done,
            Total = Total,
            Model = (AttributionModel)Model,
            ConversionKind = ConversionKind,
            HalfLifeDays = HalfLifeDays,
            GroupBy = { Dimensions },
            CreateTime = CreateTime.ToProto(),
            FinishTime = FinishTime.ToProto(),
            Error = Error ?? "",
        };
        if (LookbackDays is { } days)
        {
            run.LookbackDays = days;
        }

        return run;
    }
}

/// <summary>A credit of a run as it is stored.</summary>
public sealed class CreditRow
{
    /// <summary>The month of a credit that belongs to none.</summary>
    public static DateOnly NoMonth { get; } = DateOnly.MinValue;

    public DateOnly Month { get; init; }

    public string GroupKey { get; init; } = "";

    public decimal Conversions { get; init; }

    public decimal Amount { get; init; }

    public double? RemovalEffect { get; init; }

    public AttributionRunCredit ToProto(RunRow run)
    {
        var credit = new AttributionRunCredit
        {
            Start = Month == NoMonth ? "" : Month.ToString("yyyy-MM-dd", null),
            Group = { GroupKeys.Split(GroupKey, run.Dimensions) },
            Conversions = (double)Math.Round(Conversions, 9),
            Value = new Money(run.CurrencyCode, Amount).ToProto(),
        };
        if (RemovalEffect is { } effect)
        {
            credit.RemovalEffect = Math.Round(effect, 12);
        }

        return credit;
    }
}
