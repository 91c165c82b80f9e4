using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>One figure of a report: which rows are behind it.</summary>
/// <param name="Sql">The rows as a statement that ends in its conditions; null columns where <paramref name="Credited"/> is set.</param>
/// <param name="Credited">Conversions that a model credits, instead.</param>
/// <param name="NeedsStage">Which stages the cell must name.</param>
/// <param name="NeedsLimit">Asks for <c>@stall_days</c>.</param>
/// <param name="SourceAlias">Where the cell's group is looked for.</param>
public sealed record Figure(
    Func<Cell, string> Sql, CreditedFigure? Credited = null, FigureStages NeedsStage = FigureStages.None, bool NeedsLimit = false,
    string SourceAlias = "d");

/// <summary>Stages that a cell must name.</summary>
public enum FigureStages
{
    None,
    One,
    Two,
}

/// <summary>The figures that can be looked into. Each statement repeats the condition by which the report counts, so that as many rows
/// come.</summary>
public static class FigureSql
{
    private const string Touch = "d.channel, d.source, d.medium, d.campaign, d.keyword, d.landing_page";

    private static readonly Dictionary<(string Report, string Figure), Figure> Figures = new()
    {
        [("funnel", "entered")] = new(_ => Entered("s.stage = @stage"), NeedsStage: FigureStages.One),
        [("funnel", "converted")] = new(
            cell => Entered($"s.stage = @stage and s.onward_time {(cell.Query.IsSnapshot ? "< @last" : "is not null")}"),
            NeedsStage: FigureStages.One),
        [("funnel", "current")] = new(_ => Sitting(""), NeedsStage: FigureStages.One),
        [("funnel", "stalled")] = new(
            _ => Sitting(" and s.enter_time < @stalled_before"), NeedsStage: FigureStages.One, NeedsLimit: true),
        [("source", "leads")] = new(_ => Leads("")),
        [("source", "formLeads")] = new(_ => Leads(" and f.capture_type = 'FORM'")),
        [("source", "callLeads")] = new(_ => Leads(" and f.capture_type = 'CALL'")),
        [("source", "chatLeads")] = new(_ => Leads(" and f.capture_type = 'CHAT'")),
        [("source", "mqls")] = new(_ => Entered("s.stage = 3")),
        [("source", "sqls")] = new(_ => Entered("s.stage = 4")),
        [("source", "opportunities")] = new(_ => Deals(Opened)),
        [("source", "customers")] = new(_ => "", CreditedFigure.First),
        [("source", "revenue")] = new(_ => "", CreditedFigure.Won),
        [("source", "spend")] = new(_ => Spend, SourceAlias: "s"),
        [("source", "clicks")] = new(_ => Spend, SourceAlias: "s"),
        [("opportunity", "count")] = new(Opportunities),
        [("opportunity", "amount")] = new(Opportunities),
        [("opportunity", "weightedAmount")] = new(cell => Opportunities(cell, Weighted)),
        [("opportunity", "ageDays")] = new(Opportunities),
        [("attribution", "conversions")] = new(_ => "", CreditedFigure.Won),
        [("attribution", "value")] = new(_ => "", CreditedFigure.Won),
        [("roi", "spend")] = new(_ => Spend, SourceAlias: "s"),
        [("roi", "bookings")] = new(_ => "", CreditedFigure.Year),
        [("roi", "customers")] = new(_ => "", CreditedFigure.Year),
        [("velocity", "leads")] = new(_ => VelocityReports.Steps, NeedsStage: FigureStages.Two),
        [("velocity", "qualified")] = new(_ => Entered("s.stage = 3")),
        [("velocity", "openOpportunities")] = new(_ => Deals("f.create_time < @last and (f.close_time is null or f.close_time >= @last)")),
        [("velocity", "winRate")] = new(_ => Deals(Closed, time: "f.close_time")),
        [("velocity", "averageWon")] = new(_ => Deals($"{Closed} and f.state = 'WON'", time: "f.close_time")),
        [("velocity", "cycleDays")] = new(_ => Deals($"{Closed} and f.state = 'WON'", time: "f.close_time")),
    };

    private const string Opened = "f.create_time >= @first and f.create_time < @last";

    private const string Closed = "f.close_time >= @first and f.close_time < @last";

    private const string Weighted =
        """
        case f.state when 'WON' then f.amount when 'LOST' then 0 else f.amount * coalesce((
          select (s.step ->> 'probability')::numeric from jsonb_array_elements(l.stages) as s(step) where s.step ->> 'name' = o.stage), 0) end
        """;

    private const string Spend =
        """
        select concat_ws(chr(31), s.source, s.medium, s.campaign, s.keyword) as key, null::uuid as lead_id,
          s.date::timestamp at time zone 'UTC' as time, s.amount, s.clicks, s.channel, s.source, s.medium, s.campaign, s.keyword
        from spend s where s.workspace_id = @workspace and s.date >= @first_day and s.date < @last_day
        """;

    /// <summary>The figure, or null with a violation that names the known.</summary>
    public static Figure? Find(Violations violations, ListReportRowsRequest request)
    {
        var known = Figures.Keys.Where(key => key.Report == request.Report).Select(key => key.Figure).ToArray();
        if (known.Length == 0)
        {
            violations.Add(
                "report",
                $"{request.Report} is no report with rows; known are {string.Join(", ", Figures.Keys.Select(key => key.Report).Distinct())}.");
            return null;
        }

        if (!Figures.TryGetValue((request.Report, request.Figure), out var figure))
        {
            violations.Add("figure", $"{request.Figure} is no figure of {request.Report} with rows; known are {string.Join(", ", known)}.");
            return null;
        }

        violations.Require(
            figure.NeedsStage == FigureStages.None || StageNames.TryParse(request.Stage, out _), "stage",
            "stage must name the cell's stage such as MQL.");
        violations.Require(
            figure.NeedsStage != FigureStages.Two || StageNames.TryParse(request.FromStage, out _), "fromStage",
            "fromStage must name the stage left behind.");
        return figure;
    }

    private static string Entered(string condition) =>
        $"""
        select s.lead_id::text as key, coalesce(s.person_id, s.lead_id) as lead_id, s.stage as number, s.enter_time as time,
          date_part('epoch', s.leave_time - s.enter_time) / 86400.0 as days, {Touch}
        from stage_stay s left join lead_source d on d.workspace_id = s.workspace_id and d.source_key = s.source_key
        where s.workspace_id = @workspace and s.enter_time >= @first and s.enter_time < @last and s.counts
          and (s.previous_time is null or s.previous_time < @first) and {condition}
        """;

    private static string Sitting(string condition) =>
        $"""
        select s.lead_id::text as key, s.lead_id, s.stage as number, s.enter_time as time, date_part('epoch', @until - s.enter_time) / 86400.0 as days, {Touch}
        from stage_stay s left join lead_source d on d.workspace_id = s.workspace_id and d.source_key = s.source_key
        where s.workspace_id = @workspace and s.enter_time < @until and (s.leave_time is null or s.leave_time >= @until) and s.person_id is null
          and s.stage = @stage{condition}
        """;

    private static string Leads(string condition) =>
        $"""
        select f.lead_id::text as key, f.lead_id, f.create_time as time, {Touch}
        from lead_fact f left join lead_source d on d.workspace_id = f.workspace_id and d.source_key = f.source_key
        where f.workspace_id = @workspace and f.create_time >= @first and f.create_time < @last{condition}
        """;

    private static string Deals(string condition, string time = "f.create_time", string amount = "f.amount") =>
        $"""
        select f.opportunity_id::text as key, f.lead_id, f.opportunity_id, o.stage, {time} as time, {amount} as amount,
          date_part('epoch', coalesce(f.close_time, @now) - f.create_time) / 86400.0 as days, {Touch}
        from deal_fact f
        join opportunity o on o.workspace_id = f.workspace_id and o.id = f.opportunity_id
        join pipeline l on l.workspace_id = o.workspace_id and l.id = o.pipeline_id
        left join lead_source d on d.workspace_id = f.workspace_id and d.source_key = f.source_key
        where f.workspace_id = @workspace and {condition}
        """;

    private static string Opportunities(Cell cell) => Opportunities(cell, "f.amount");

    private static string Opportunities(Cell cell, string amount) => Deals(string.Concat(
        Opened,
        cell.Request.Stage.Length > 0 ? " and o.stage = @text_stage" : "",
        cell.Request.Pipeline.Length > 0 ? " and l.display_name = @pipeline" : "",
        cell.Request.State.Length > 0 ? " and o.state = @state" : ""), amount: amount);
}
