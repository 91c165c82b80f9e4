using System.Text;

namespace Lifecycle.Rpc.Rest;

/// <summary>
/// CSV after RFC 4180: UTF-8, lines end in CR LF, a cell with a comma, a quote or a line break is quoted. A text cell that a spreadsheet
/// would take for a formula begins with an apostrophe instead (OWASP, "CSV Injection"); numbers are written as they are.
/// </summary>
public static class CsvText
{
    public const string ContentType = "text/csv; charset=utf-8; header=present";

    private static readonly char[] Quoted = [',', '"', '\r', '\n'];

    /// <summary>A cell of text that somebody else may have written.</summary>
    public static string Text(string text) => text.Length > 0 && IsFormula(text[0]) ? Number("'" + text) : Number(text);

    /// <summary>A cell that this system wrote: a number, a time, a name of its own.</summary>
    public static string Number(string text) =>
        text.AsSpan().IndexOfAny(Quoted) >= 0 || text is [' ', ..] or [.., ' ']
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;

    /// <summary>Appends a line of cells that are escaped already.</summary>
    public static void AppendLine(StringBuilder output, IEnumerable<string> cells) => output.AppendJoin(',', cells).Append("\r\n");

    // The wide forms are taken for the narrow ones by some programs.
    private static bool IsFormula(char first) => first is '=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '＝' or '＋' or '－' or '＠';
}
