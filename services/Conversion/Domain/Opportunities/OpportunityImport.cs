using System.Globalization;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Opportunities;

/// <summary>One row of an import of opportunities, checked.</summary>
/// <param name="Stage">Step of the pipeline; null where the row names none, or is closed.</param>
/// <param name="Amount">Null where the row has none.</param>
/// <param name="Pipeline">Name or id of the pipeline; null: the default one.</param>
public sealed record OpportunityImport(
    string ExternalId,
    string? Name,
    decimal? Amount,
    OpportunityState State,
    string? Stage,
    string? Owner,
    string? Product,
    string? Account,
    DateTimeOffset? CreateTime,
    DateTimeOffset? CloseTime,
    DateOnly? ExpectedCloseDate,
    string? LoseReason,
    Guid? LeadId,
    string? LeadEmail,
    string? Competitor,
    string? Pipeline)
{
    private static readonly Dictionary<string, string> Columns = new (string Name, string[] Columns)[]
    {
        ("externalId", ["externalId", "opportunity_id", "opportunityId"]),
        ("name", ["name", "opportunity_name"]),
        ("amount", ["amount", "close_value"]),
        ("currency", ["currency", "currencyCode"]),
        ("owner", ["owner", "sales_agent"]),
        ("product", ["product"]),
        ("account", ["account"]),
        ("stage", ["stage", "deal_stage"]),
        ("createTime", ["createTime", "engage_date", "create_date"]),
        ("closeTime", ["closeTime", "close_date"]),
        ("expectedCloseDate", ["expectedCloseDate", "expected_close_date"]),
        ("loseReason", ["loseReason", "lose_reason"]),
        ("competitor", ["competitor"]),
        ("pipeline", ["pipeline", "pipelineId", "pipeline_id"]),
        ("leadId", ["leadId", "lead_id"]),
        ("leadEmail", ["leadEmail", "lead_email", "email"]),
    }.SelectMany(known => known.Columns.Select(column => (column, known.Name))).ToDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Reads a row. Days without a time begin at midnight of <paramref name="timeZone"/>. A row that has a close time and no stage is
    /// refused: it does not say whether the deal was won. The error names every fault by the row's own column names; unknown columns are
    /// ignored.
    /// </summary>
    /// <param name="values">Column name → text.</param>
    /// <param name="steps">Steps of the only pipeline that rows may name.</param>
    /// <param name="currencyCode">The workspace's currency, the only one accepted.</param>
    public static Result<OpportunityImport> Parse(
        IReadOnlyDictionary<string, string?> values, IReadOnlyList<PipelineStep> steps, string currencyCode, TimeZoneInfo timeZone,
        DateTimeOffset now) => Parse(values, name => name is null ? steps : null, currencyCode, timeZone, now);

    /// <summary>As above, with the steps of a pipeline by its name or id: of the default one for null; null where there is none
    /// such.</summary>
    public static Result<OpportunityImport> Parse(
        IReadOnlyDictionary<string, string?> values, Func<string?, IReadOnlyList<PipelineStep>?> pipelines, string currencyCode,
        TimeZoneInfo timeZone, DateTimeOffset now)
    {
        var row = new Row(values, timeZone, now);
        row.Violations.RequireText(row.Text("externalId"), row.Column("externalId"));
        row.Violations.Require(
            string.Equals(row.Text("currency") ?? currencyCode, currencyCode, StringComparison.OrdinalIgnoreCase),
            row.Column("currency"),
            $"{row.Text("currency")} is not the workspace's currency {currencyCode}.");
        var steps = pipelines(row.Text("pipeline"));
        row.Violations.Require(steps is not null, row.Column("pipeline"), $"{row.Text("pipeline")} is no pipeline of this workspace.");
        var (state, step) = steps is null ? (OpportunityState.Open, null) : row.Stage(steps);
        var (create, close) = (row.Time("createTime"), row.Time("closeTime"));
        row.Violations.Require(
            create is null || close is null || create <= close, row.Column("closeTime"), "The deal closed before it was opened.");
        row.Violations.Require(
            close is null || state != OpportunityState.Open, row.Column("stage"), "A row with a close time must be Won or Lost.");
        var parsed = new OpportunityImport(
            row.Text("externalId") ?? "",
            row.Text("name"),
            row.Amount(currencyCode),
            state,
            step,
            row.Text("owner"),
            row.Text("product"),
            row.Text("account"),
            create,
            close,
            row.Day("expectedCloseDate"),
            row.Text("loseReason"),
            row.Id("leadId"),
            row.Text("leadEmail") is { } email ? EmailKey.Part(email) : null,
            row.Text("competitor"),
            row.Text("pipeline"));
        return row.Violations.ToError() is { } error ? error : parsed;
    }

    private sealed class Row
    {
        private readonly Dictionary<string, (string Column, string Value)> cells = new(StringComparer.Ordinal);
        private readonly TimeZoneInfo timeZone;
        private readonly DateTimeOffset now;

        public Row(IReadOnlyDictionary<string, string?> values, TimeZoneInfo timeZone, DateTimeOffset now)
        {
            (this.timeZone, this.now) = (timeZone, now);
            foreach (var (column, value) in values)
            {
                if (!Columns.TryGetValue(column.Trim(), out var name) || string.IsNullOrWhiteSpace(value))
                {
                    continue;
                }

                if (cells.TryAdd(name, (column, value.Trim())))
                {
                    Violations.Require(
                        value.Trim().Length <= 500, column, $"{column} has {value.Trim().Length} characters; at most 500 are accepted.");
                }
                else
                {
                    Violations.Add(column, $"{column} and {cells[name].Column} say the same thing; give one of them.");
                }
            }
        }

        public Violations Violations { get; } = new();

        public string Column(string name) => cells.TryGetValue(name, out var cell) ? cell.Column : name;

        public string? Text(string name) => cells.TryGetValue(name, out var cell) ? cell.Value : null;

        public decimal? Amount(string currencyCode)
        {
            if (Text("amount") is not { } text)
            {
                return null;
            }

            var money = Money.Parse(currencyCode, text);
            var right = money.Succeeded && money.Value.Amount >= 0;
            Violations.Require(right, Column("amount"), $"{text} is no amount such as 12000.00.");
            return right ? money.Value.Amount : null;
        }

        public (OpportunityState State, string? Step) Stage(IReadOnlyList<PipelineStep> steps)
        {
            var text = Text("stage");
            if (text is null)
            {
                return (OpportunityState.Open, null);
            }

            if (text.Equals("won", StringComparison.OrdinalIgnoreCase) || text.Equals("closed won", StringComparison.OrdinalIgnoreCase))
            {
                return (OpportunityState.Won, null);
            }

            if (text.Equals("lost", StringComparison.OrdinalIgnoreCase) || text.Equals("closed lost", StringComparison.OrdinalIgnoreCase))
            {
                return (OpportunityState.Lost, null);
            }

            var step = Pipelines.Find(steps, text);
            Violations.Require(
                step is not null, Column("stage"),
                $"{text} is no stage; accepted are {string.Join(", ", steps.Select(known => known.Name))}, Won, Lost.");
            return (OpportunityState.Open, step?.Name);
        }

        public DateTimeOffset? Time(string name)
        {
            if (Text(name) is not { } text)
            {
                return null;
            }

            DateTimeOffset? time = null;
            if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            {
                time = ReportPeriod.Midnight(day, timeZone);
            }
            else if (text.Length > 10
                && DateTimeOffset.TryParse(
                    text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant))
            {
                time = instant;
            }

            Violations.Require(
                time is not null, Column(name), $"{text} is no day such as 2026-03-31 nor a time such as 2026-03-31T09:00:00Z.");
            BackfillTime.Check(time, Column(name), now, Violations);
            return time;
        }

        public DateOnly? Day(string name) =>
            Text(name) is { } text && Violations.RequireDate(text, Column(name), out var day) ? day : null;

        public Guid? Id(string name) => Text(name) is { } text && Violations.RequireId(text, Column(name), out var id) ? id : null;
    }
}
