using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;

namespace Lifecycle.Rpc;

/// <summary>One row of an import.</summary>
/// <param name="Line">Line in the file at which the row begins; the header of a CSV file is line 1.</param>
/// <param name="Values">
/// Cells by column, names compared without case; empty cells are null. NDJSON: objects and arrays as JSON text.
/// </param>
/// <param name="Error">Why the row cannot be read at all; null for a sound row.</param>
public sealed record ImportRow(int Line, IReadOnlyDictionary<string, string?> Values, string? Error)
{
    /// <summary>The trimmed cell, or null where it is absent or empty.</summary>
    public string? this[string column] => Values.GetValueOrDefault(column);
}

/// <summary>A streamed import: CSV with a header row, or NDJSON. Memory is bounded by one row, whatever the size of the file.</summary>
public sealed class ImportRows
{
    /// <summary>Longest row (NDJSON line) or cell (CSV), characters.</summary>
    public const int MaxRowLength = 1024 * 1024;

    private const string Csv = "text/csv";
    private const string NdJson = "application/x-ndjson";

    /// <summary>Stands for bytes that are no UTF-8: no text has this character, which Unicode gives to nothing.</summary>
    private const char NoText = '\uffff';

    private const string NotUtf8 = "The row holds bytes that are not UTF-8.";

    private static readonly Encoding Utf8 = Encoding.GetEncoding(
        Encoding.UTF8.CodePage, EncoderFallback.ReplacementFallback, new DecoderReplacementFallback(NoText.ToString()));

    private readonly ChunkStream data;

    private ImportRows(ImportChunk first, ChunkStream data)
    {
        this.data = data;
        (IsCsv, DryRun, RequestId, Parent) = (first.ContentType == Csv, first.DryRun, first.RequestId, first.Parent);
    }

    /// <summary>CSV; else NDJSON.</summary>
    public bool IsCsv { get; }

    /// <summary>Check everything, change nothing.</summary>
    public bool DryRun { get; }

    /// <summary>What the rows belong to, or empty.</summary>
    public string Parent { get; }

    /// <summary>Request id, or empty.</summary>
    public string RequestId { get; }

    /// <summary>Reads the first chunk. INVALID_ARGUMENT where there is none, its content type is neither CSV nor NDJSON, or its request
    /// id is too long.</summary>
    public static async Task<Result<ImportRows>> Open(IAsyncStreamReader<ImportChunk> stream, CancellationToken cancellationToken)
    {
        if (!await stream.MoveNext(cancellationToken))
        {
            return Error.Invalid("contentType", "The import is empty: its first chunk carries contentType.");
        }

        var first = stream.Current;
        var violations = new Violations();
        violations.Require(first.ContentType is Csv or NdJson, "contentType", $"contentType must be {Csv} or {NdJson}.");
        violations.RequireRequestId(first.RequestId);
        return violations.ToError() is { } error ? error : new ImportRows(first, new ChunkStream(stream, first.Data));
    }

    /// <summary>The rows of an import whose settings do not matter.</summary>
    /// <exception cref="RpcErrorException">As <see cref="Open"/>.</exception>
    public static async IAsyncEnumerable<ImportRow> Read(
        IAsyncStreamReader<ImportChunk> stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var import = (await Open(stream, cancellationToken)).OrThrow();
        await foreach (var row in import.Rows(cancellationToken))
        {
            yield return row;
        }
    }

    /// <summary>The rows in order, once. A row that cannot be read is told as such; the next ones follow.</summary>
    public IAsyncEnumerable<ImportRow> Rows(CancellationToken cancellationToken) =>
        IsCsv ? CsvRows(cancellationToken) : JsonRows(cancellationToken);

    private async IAsyncEnumerable<ImportRow> CsvRows([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? fault = null;
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            BadDataFound = bad => fault = "A quotation mark stands in an unquoted cell, or is not closed.",
            MaxFieldSize = MaxRowLength,
            TrimOptions = TrimOptions.Trim,
            DetectDelimiter = false,
        };
        data.CancellationToken = cancellationToken;
        using var text = new StreamReader(data, Utf8);
        using var parser = new CsvParser(text, configuration);
        if (!await parser.ReadAsync())
        {
            yield break;
        }

        var header = parser.Record!.Select(name => name.Trim()).ToArray();
        if (header.Any(name => name.Contains(NoText, StringComparison.Ordinal)))
        {
            yield return new(1, Nothing, "The header holds bytes that are not UTF-8.");
            yield break;
        }

        if (header.GroupBy(name => name, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(group => group.Count() > 1 || group.Key.Length == 0) is { } wrong)
        {
            yield return new(1, Nothing, wrong.Key.Length == 0
                ? "The header has a column without a name."
                : $"The header names the column {wrong.Key} twice.");
            yield break;
        }

        while (true)
        {
            var line = parser.RawRow + 1;
            fault = null;
            var (more, broken) = await TryRead(parser);
            if (broken is not null)
            {
                yield return new(line, Nothing, broken);
                yield break;
            }

            if (!more)
            {
                yield break;
            }

            // Blank lines before the row are part of neither.
            var raw = parser.RawRecord;
            line = parser.RawRow - Math.Max(0, raw.TrimEnd('\r', '\n').Count(letter => letter == '\n'));
            var record = parser.Record!;
            if (raw.Contains(NoText, StringComparison.Ordinal))
            {
                fault = NotUtf8;
            }
            else if (fault is null && record.Length != header.Length)
            {
                fault = $"The row has {record.Length} cells; the header has {header.Length}.";
            }

            yield return fault is not null ? new(line, Nothing, fault) : new(line, Cells(header, record), null);
        }
    }

    private static async Task<(bool More, string? Broken)> TryRead(CsvParser parser)
    {
        try
        {
            return (await parser.ReadAsync(), null);
        }
        catch (CsvHelperException)
        {
            return (false, $"A cell is longer than {MaxRowLength} characters; the rest of the file is not read.");
        }
    }

    private static Dictionary<string, string?> Cells(string[] header, string[] record)
    {
        var cells = new Dictionary<string, string?>(header.Length, StringComparer.OrdinalIgnoreCase);
        for (var column = 0; column < header.Length; column++)
        {
            cells[header[column]] = record[column] is { Length: > 0 } cell ? cell : null;
        }

        return cells;
    }

    private async IAsyncEnumerable<ImportRow> JsonRows([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        data.CancellationToken = cancellationToken;
        using var text = new StreamReader(data, Utf8);
        var lines = new BoundedLines(text, MaxRowLength);
        while (await lines.Next(cancellationToken))
        {
            if (lines.TooLong)
            {
                yield return new(lines.Number, Nothing, $"The line is longer than {MaxRowLength} characters.");
            }
            else if (!string.IsNullOrWhiteSpace(lines.Text))
            {
                yield return JsonRow(lines.Number, lines.Text);
            }
        }
    }

    private static ImportRow JsonRow(int line, string json)
    {
        if (json.Contains(NoText, StringComparison.Ordinal))
        {
            return new(line, Nothing, NotUtf8);
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return new(line, Nothing, "The line is no JSON object.");
            }

            var cells = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                cells[property.Name] = property.Value.ValueKind switch
                {
                    JsonValueKind.Null => null,
                    JsonValueKind.String => property.Value.GetString()!.Trim() is { Length: > 0 } value ? value : null,
                    _ => property.Value.GetRawText(),
                };
            }

            return new(line, cells, null);
        }
        catch (JsonException exception)
        {
            return new(line, Nothing, $"The JSON is malformed at position {exception.BytePositionInLine + 1}.");
        }
        catch (InvalidOperationException)
        {
            // What a name or a text of valid JSON may still be.
            return new(line, Nothing, "The line holds half of a surrogate pair.");
        }
    }

    private static readonly Dictionary<string, string?> Nothing = [];
}
