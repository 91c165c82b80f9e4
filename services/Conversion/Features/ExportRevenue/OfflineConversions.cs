using System.Globalization;
using System.Text;
using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.ExportRevenue;

/// <summary>
/// Won deals whose lead came by an advertisement's click, as a CSV that advertising tools import: click id, conversion's name, time, value
/// and currency. Every file that is handed out is in a log, with its deals.
/// </summary>
public sealed class OfflineConversions(UnitOfWork<ConversionDbContext> work)
{
    private const string DefaultKind = "gclid";
    private const string DefaultName = "Closed won";

    public void Map(IEndpointRouteBuilder app) => app.MapGet("/v1/exports/offlineConversions", Export).RequireScope("conversion:read");

    private async Task Export(
        HttpContext http, string? from, string? to, string? clickIdType, string? conversionName, bool? onlyNew, string? exportId)
    {
        var (caller, ct) = (http.Caller(), http.RequestAborted);
        var file = exportId is null
            ? await Hand(caller, from, to, clickIdType ?? DefaultKind, conversionName ?? DefaultName, onlyNew ?? false, ct)
            : await HandAgain(caller, exportId, ct);
        if (!file.TryGet(out var handed, out var error))
        {
            await Problem.Refuse(http, error);
            return;
        }

        var export = handed.Export;
        http.Response.ContentType = "text/csv; charset=utf-8";
        http.Response.Headers.ContentDisposition = $"attachment; filename=offline-conversions-{export.Id}.csv";
        http.Response.Headers.ContentLocation = $"/v1/exports/offlineConversions?exportId={export.Id}";
        await http.Response.WriteAsync(Csv(handed.Rows, export.ClickIdType.Length + 1, export.ConversionName, caller.TimeZone), ct);
    }

    /// <summary>A new file, entered in the log.</summary>
    private async Task<Result<File>> Hand(
        Caller caller, string? from, string? to, string kind, string name, bool onlyNew, CancellationToken ct)
    {
        var violations = new Violations();
        var period = ReportPeriod.Create(from, to, Granularity.Year, caller.TimeZone);
        foreach (var violation in period.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        violations.Require(
            kind.Length is >= 1 and <= 30 && kind.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'), "clickIdType",
            "clickIdType must be a parameter's name such as gclid.");
        violations.Require(name.Length is >= 1 and <= 100 && !name.Any(char.IsControl), "conversionName",
            "conversionName has 1 to 100 characters.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.Run<File>(caller.WorkspaceId, async tx =>
        {
            var export = new OfflineExportRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                CreateTime = tx.Now,
                Actor = caller.Actor,
                FromTime = period.Value.From,
                ToTime = period.Value.To,
                ClickIdType = kind,
                ConversionName = name,
                OnlyNew = onlyNew,
            };
            // Two files at the same moment: the second waits, and sees what the first told. One statement tells the period's wins.
            export.Conversions = await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                select pg_advisory_xact_lock(hashtextextended('offline_export' || @workspace::text, 0));
                insert into offline_export_deal (workspace_id, export_id, opportunity_id)
                select o.workspace_id, @id, o.id
                from opportunity o join lead l on l.workspace_id = o.workspace_id and l.lead_id = o.lead_id
                where o.workspace_id = @workspace and o.state = 'WON' and o.close_time >= @from and o.close_time < @to and l.click_id like @pattern
                  and (not @onlyNew or not exists (
                    select 1 from offline_export_deal d join offline_export e on e.workspace_id = d.workspace_id and e.id = d.export_id
                    where d.workspace_id = @workspace and d.opportunity_id = o.id and e.click_id_type = @kind))
                """,
                new
                {
                    workspace = tx.WorkspaceId,
                    id = export.Id,
                    from = export.FromTime,
                    to = export.ToTime,
                    kind,
                    pattern = $"{kind.Replace("_", "\\_", StringComparison.Ordinal)}:%",
                    onlyNew,
                },
                cancellationToken: ct));
            tx.Db.OfflineExports.Add(export);
            return await Read(tx, export);
        }, ct);
    }

    private async Task<Result<File>> HandAgain(Caller caller, string exportId, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(exportId, "exportId", out var id);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.Read<Result<File>>(
            caller.WorkspaceId,
            async tx => await tx.Db.OfflineExports.SingleOrDefaultAsync(row => row.Id == id, ct) is { } export
                ? await Read(tx, export)
                : Error.NotFound("Export", id),
            ct);
    }

    /// <summary>The deals of a file; those of people who were erased since have no click any more, and are left out.</summary>
    private static async Task<File> Read(Transaction<ConversionDbContext> tx, OfflineExportRow export) => new(
        export,
        (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            """
            select l.click_id, o.close_time, o.amount, o.currency_code
            from offline_export_deal d
            join opportunity o on o.workspace_id = d.workspace_id and o.id = d.opportunity_id
            join lead l on l.workspace_id = o.workspace_id and l.lead_id = o.lead_id
            where d.workspace_id = @workspace and d.export_id = @id and l.click_id is not null
            order by o.close_time, o.id
            """,
            new { workspace = tx.WorkspaceId, id = export.Id },
            cancellationToken: tx.CancellationToken))).AsList());

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

    private sealed record File(OfflineExportRow Export, IReadOnlyList<Row> Rows);

    private sealed class Row
    {
        public string ClickId { get; init; } = "";

        public DateTimeOffset CloseTime { get; init; }

        public decimal Amount { get; init; }

        public string CurrencyCode { get; init; } = "";
    }
}
