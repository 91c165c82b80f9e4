using System.Globalization;
using System.Text;
using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.ExportRevenue;

/// <summary>
/// Won deals whose lead came by an advertisement's click, as a CSV that advertising tools import: click id, conversion's name, time, value
/// and currency.
/// </summary>
public sealed class OfflineConversions(UnitOfWork<ConversionDbContext> work)
{
    private const string DefaultKind = "gclid";
    private const string DefaultName = "Closed won";

    public void Map(IEndpointRouteBuilder app) => app.MapGet("/v1/exports/offlineConversions", Export).RequireScope("conversion:read");

    private async Task Export(HttpContext http, string? from, string? to, string? clickIdType, string? conversionName)
    {
        var (caller, ct) = (http.Caller(), http.RequestAborted);
        var violations = new Violations();
        var period = ReportPeriod.Create(from, to, Granularity.Year, caller.TimeZone);
        foreach (var violation in period.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        var (kind, name) = (clickIdType ?? DefaultKind, conversionName ?? DefaultName);
        violations.Require(
            kind.Length is >= 1 and <= 30 && kind.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'), "clickIdType",
            "clickIdType must be a parameter's name such as gclid.");
        violations.Require(name.Length is >= 1 and <= 100 && !name.Any(char.IsControl), "conversionName",
            "conversionName has 1 to 100 characters.");
        if (violations.ToError() is { } error)
        {
            await Problem.Refuse(http, error);
            return;
        }

        // One statement and no page: what is read is what the period's wins are.
        var rows = await work.Read(caller.WorkspaceId, async tx => (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            """
            select l.click_id, o.close_time, o.amount, o.currency_code
            from opportunity o join lead l on l.workspace_id = o.workspace_id and l.lead_id = o.lead_id
            where o.workspace_id = @workspace and o.state = 'WON' and o.close_time >= @from and o.close_time < @to and l.click_id like @kind
            order by o.close_time, o.id
            """,
            new
            {
                workspace = tx.WorkspaceId,
                from = period.Value.From,
                to = period.Value.To,
                kind = $"{kind.Replace("_", "\\_", StringComparison.Ordinal)}:%"
            },
            cancellationToken: ct))).AsList(), ct);
        http.Response.ContentType = "text/csv; charset=utf-8";
        http.Response.Headers.ContentDisposition = $"attachment; filename=offline-conversions-{from}-{to}.csv";
        await http.Response.WriteAsync(Csv(rows, kind.Length + 1, name, caller.TimeZone), ct);
    }

    private static string Csv(IReadOnlyList<Row> rows, int skip, string name, TimeZoneInfo timeZone)
    {
        var text = new StringBuilder("Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency\r\n");
        foreach (var row in rows)
        {
            var local = TimeZoneInfo.ConvertTime(row.CloseTime, timeZone);
            text.Append(Cell(row.ClickId[skip..])).Append(',').Append(Cell(name)).Append(',')
                .Append(local.ToString("yyyy-MM-dd HH:mm:sszzz", CultureInfo.InvariantCulture)).Append(',')
                .Append(new Money(row.CurrencyCode, row.Amount).AmountText).Append(',').Append(row.CurrencyCode).Append("\r\n");
        }

        return text.ToString();
    }

    /// <summary>Quoted where it must be (RFC 4180). What a spreadsheet would take for a formula is told as text.</summary>
    private static string Cell(string text)
    {
        var safe = text.Length > 0 && "=+-@\t\r".Contains(text[0], StringComparison.Ordinal) ? "'" + text : text;
        return safe.AsSpan().ContainsAny(",\"\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }

    private sealed class Row
    {
        public string ClickId { get; init; } = "";

        public DateTimeOffset CloseTime { get; init; }

        public decimal Amount { get; init; }

        public string CurrencyCode { get; init; } = "";
    }
}
