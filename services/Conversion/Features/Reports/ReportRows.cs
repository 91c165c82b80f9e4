using System.Globalization;
using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>The rows behind a figure of a report, by time and id, page by page.</summary>
public sealed class ReportRows(UnitOfWork<ConversionDbContext> work, StallLimits limits, IOptions<ConversionOptions> options)
{
    public async Task<Result<ListReportRowsResponse>> Handle(ListReportRowsRequest request, Caller caller, CancellationToken ct)
    {
        var violations = new Violations();
        var figure = FigureSql.Find(violations, request);
        var cell = Cell.Parse(violations, request, caller);
        var size = PageTokens.Size(request.PageSize, violations);
        var identity = request.Clone();
        (identity.PageToken, identity.PageSize) = ("", 0);
        var after = PageTokens.Decode(request.PageToken, identity.ToString(), 2);
        foreach (var violation in after.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        var afterTime = DateTimeOffset.MinValue;
        violations.Require(
            !after.Succeeded || after.Value.Count == 0
                || DateTimeOffset.TryParse(after.Value[0], CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out afterTime),
            "pageToken", "pageToken is none that this method gave out.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var place = (Time: afterTime, Key: after.Value.Count == 0 ? "" : after.Value[1], Size: size);
        return await work.Read(caller.WorkspaceId, async tx =>
        {
            if (await SourceReports.MixedCurrency(tx, cell!.Query) is { } mixed)
            {
                return (Result<ListReportRowsResponse>)mixed;
            }

            await ReportMemory.Prepare(tx);
            var read = figure!.Credited is { } credited
                ? await Credited(tx, cell, credited, place)
                : (await Stored(tx, figure, cell, place)).AsList();
            if (!read.TryGet(out var rows, out var refused))
            {
                return refused;
            }

            var response = new ListReportRowsResponse { Rows = { rows.Take(size).Select(row => row.ToProto(caller.CurrencyCode)) } };
            if (rows.Count > size)
            {
                var last = rows[size - 1];
                response.NextPageToken = PageTokens.Encode(identity.ToString(), [last.Time.ToString("O"), last.Key]);
            }

            return response;
        }, ct);
    }

    private async Task<IEnumerable<DetailRow>> Stored(
        Transaction<ConversionDbContext> tx, Figure figure, Cell cell, (DateTimeOffset Time, string Key, int Size) place)
    {
        var cut = Cut.Of(cell.Query.Granules, cell.Query.Dimensions);
        var until = SittingLeads.Until(tx, cut)[0];
        var more = new DynamicParameters(new
        {
            now = tx.Now,
            until,
            stage = cell.Stage,
            from_stage = cell.FromStage,
            text_stage = cell.Request.Stage,
            pipeline = cell.Request.Pipeline,
            state = cell.Request.State,
            after_time = place.Time,
            after_key = place.Key,
            size = place.Size + 1,
            stalled_before = figure.NeedsLimit ? StallLimits.Before(until, (await limits.Read(tx))[(Stage)cell.Stage]) : until,
        });

        var groups = cell.Request.Group.Select((pair, index) =>
        {
            more.Add($"group{index}", pair.Value);
            return $" and {GroupKeys.Value(figure.SourceAlias, pair.Key)} = @group{index}";
        });
        return await ReportData.Query<DetailRow>(
            tx,
            cut,
            $"""
            select * from ({figure.Sql(cell)}{string.Concat(groups)}) detail
            where (time, key) > (@after_time, @after_key) order by time, key limit @size
            """,
            more);
    }

    private async Task<Result<List<DetailRow>>> Credited(
        Transaction<ConversionDbContext> tx, Cell cell, CreditedFigure credited, (DateTimeOffset Time, string Key, int Size) place)
    {
        var deals = await CreditedDeals.Read(tx, cell.Query, options.Value.MaxReportDeals);
        if (!deals.TryGet(out var read, out var error))
        {
            return error;
        }

        var group = GroupKeys.Of(cell.Query.Dimensions.Select(dimension => cell.Request.Group[dimension]));
        return read.Rows(credited, 0, found => found == group)
            .Select(DetailRow.Of)
            .OrderBy(row => row.Time).ThenBy(row => row.Key, StringComparer.Ordinal)
            .Where(row => row.Time > place.Time || (row.Time == place.Time && string.CompareOrdinal(row.Key, place.Key) > 0))
            .Take(place.Size + 1).ToList();
    }
}

/// <summary>The cell of a report that is looked into.</summary>
/// <param name="Query">The report's question, narrowed to the point.</param>
/// <param name="Stage">Number of the stage asked for; 0 for none.</param>
/// <param name="FromStage">Number of the stage left behind; 0 for none.</param>
public sealed record Cell(ListReportRowsRequest Request, ReportQuery Query, short Stage, short FromStage)
{
    public static Cell Parse(Violations violations, ListReportRowsRequest request, Caller caller)
    {
        var question = new GetReportRequest
        {
            From = request.From,
            To = request.To,
            Granularity = request.Granularity,
            Model = request.Model,
            ConversionKind = request.Report == "attribution" ? request.ConversionKind : ConversionKind.Customer,
            View = request.View,
            GroupBy = { request.Group.Keys },
        };
        if (request.HasHalfLifeDays)
        {
            question.HalfLifeDays = request.HalfLifeDays;
        }

        if (request.HasLookbackDays)
        {
            question.LookbackDays = request.LookbackDays;
        }

        var parsed = ReportQuery.Parse(question, caller);
        foreach (var violation in parsed.Error?.Violations ?? [])
        {
            violations.Add(violation.Field == "groupBy" ? "group" : violation.Field, violation.Message);
        }

        if (!parsed.TryGet(out var query, out _))
        {
            return null!;
        }

        var point = request.Start.Length == 0
            ? query.Whole
            : query.Granules.FirstOrDefault(granule => granule.Start.ToString("yyyy-MM-dd", null) == request.Start);
        violations.Require(
            point is not null, "start", $"{request.Start} is no point of the report; give the granularity of the report, too.");
        return point is null
            ? null!
            : new Cell(request, query with { Granules = [point] }, Number(request.Stage), Number(request.FromStage));
    }

    private static short Number(string stage) => StageNames.TryParse(stage, out var known) ? (short)known : (short)0;
}

/// <summary>One row as it is read.</summary>
public sealed class DetailRow
{
    public string Key { get; init; } = "";

    public Guid? LeadId { get; init; }

    public Guid? OpportunityId { get; init; }

    public string? Stage { get; init; }

    public short? Number { get; init; }

    public DateTimeOffset Time { get; init; }

    public double? Days { get; init; }

    public decimal? Credit { get; init; }

    public decimal? Amount { get; init; }

    public long Clicks { get; init; }

    public string? Channel { get; init; }

    public string? Source { get; init; }

    public string? Medium { get; init; }

    public string? Campaign { get; init; }

    public string? Keyword { get; init; }

    public string? LandingPage { get; init; }

    public static DetailRow Of(CreditedRow credited) => new()
    {
        Key = credited.Row.Id.ToString(),
        LeadId = credited.Row.LeadId,
        OpportunityId = credited.Row.OpportunityId,
        Time = credited.Row.CloseTime,
        Days = credited.Row.OpportunityId is null ? null : (credited.Row.CloseTime - credited.Row.CreateTime).TotalDays,
        Credit = credited.Credit,
        Amount = credited.Row.OpportunityId is null ? null : credited.Amount,
        Channel = credited.FirstTouch?.Channel,
        Source = credited.FirstTouch?.Source,
        Medium = credited.FirstTouch?.Medium,
        Campaign = credited.FirstTouch?.Campaign,
        Keyword = credited.FirstTouch?.Keyword,
        LandingPage = credited.FirstTouch?.LandingPage,
    };

    public ReportDetail ToProto(string currencyCode)
    {
        var detail = new ReportDetail
        {
            LeadId = LeadId?.ToString() ?? "",
            OpportunityId = OpportunityId?.ToString() ?? "",
            Stage = Stage ?? (Number is { } number ? ((Stage)number).Name() : ""),
            Time = Time.ToProto(),
            Group =
            {
                ["channel"] = Channel ?? "",
                ["source"] = Source ?? "",
                ["medium"] = Medium ?? "",
                ["campaign"] = Campaign ?? "",
                ["keyword"] = Keyword ?? "",
                ["landingPage"] = LandingPage ?? "",
            },
            Clicks = Clicks,
        };
        if (Days is { } days)
        {
            detail.Days = Math.Round(days, 6);
        }

        if (Credit is { } credit)
        {
            detail.Credit = (double)Math.Round(credit, 9);
        }

        if (Amount is { } amount)
        {
            detail.Amount = new Money(currencyCode, amount).ToProto();
        }

        return detail;
    }
}
