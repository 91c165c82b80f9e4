using System.Text;
using System.Text.RegularExpressions;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>
/// A mail or a part of one (RFC 5322, RFC 2045), as far as reports need it: header fields, type, decoded text, parts. Whatever does not
/// parse is read as text; nothing throws.
/// </summary>
public sealed partial class MimePart
{
    private const int MaxDepth = 6;
    private const int MaxParts = 50;
    private const int MaxFields = 500;

    private MimePart(IReadOnlyList<(string Name, string Value)> fields, string body)
    {
        Fields = fields;
        var contentType = Header("Content-Type") ?? "text/plain";
        Type = contentType.Split(';')[0].Trim().ToLowerInvariant();
        RawBody = body;
        ReportType = Parameter(contentType, "report-type") ?? "";
    }

    /// <summary>Header fields in order, unfolded.</summary>
    public IReadOnlyList<(string Name, string Value)> Fields { get; }

    /// <summary>E.g. <c>message/delivery-status</c>, lower case.</summary>
    public string Type { get; }

    /// <summary>Parameter <c>report-type</c>; empty where there is none.</summary>
    public string ReportType { get; }

    /// <summary>Parts of a multipart; else none.</summary>
    public IReadOnlyList<MimePart> Parts { get; private set; } = [];

    /// <summary>Body as it came.</summary>
    public string RawBody { get; }

    /// <summary>Body after its transfer encoding, as text.</summary>
    public string Text => Header("Content-Transfer-Encoding")?.Trim().ToLowerInvariant() switch
    {
        "base64" => FromBase64(RawBody),
        "quoted-printable" => FromQuotedPrintable(RawBody),
        _ => RawBody,
    };

    /// <summary>This part and all below it.</summary>
    public IEnumerable<MimePart> All => Parts.SelectMany(part => part.All).Prepend(this);

    /// <param name="mail">The mail with CRLF or LF lines, bytes as Latin-1 letters.</param>
    public static MimePart Parse(string mail) => Parse(mail.Replace("\r\n", "\n", StringComparison.Ordinal), 0);

    /// <summary>First field of that name; null where there is none.</summary>
    public string? Header(string name) =>
        Fields.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value).FirstOrDefault();

    /// <summary>Header fields of a text that is nothing but such, up to its first empty line.</summary>
    public static IReadOnlyList<(string Name, string Value)> ParseFields(string text)
    {
        var fields = new List<(string Name, string Value)>();
        foreach (var line in text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n')
            .TakeWhile(line => line.Length > 0).Take(MaxFields))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (line[0] is ' ' or '\t' && fields.Count > 0)
            {
                fields[^1] = (fields[^1].Name, fields[^1].Value + " " + line.Trim());
            }
            else if (colon > 0)
            {
                fields.Add((line[..colon].Trim(), line[(colon + 1)..].Trim()));
            }
        }

        return fields;
    }

    private static MimePart Parse(string text, int depth)
    {
        var split = text.StartsWith('\n') ? 0 : text.IndexOf("\n\n", StringComparison.Ordinal);
        var fields = split == 0 ? [] : ParseFields(split < 0 ? text : text[..split]);
        var part = new MimePart(fields, split < 0 ? "" : text[(split == 0 ? 1 : split + 2)..]);
        if (part.Type.StartsWith("multipart/", StringComparison.Ordinal) && depth < MaxDepth
            && Parameter(part.Header("Content-Type")!, "boundary") is { Length: > 0 } boundary)
        {
            part.Parts = [.. Split(part.RawBody, boundary).Take(MaxParts).Select(one => Parse(one, depth + 1))];
        }

        return part;
    }

    private static IEnumerable<string> Split(string body, string boundary)
    {
        StringBuilder? part = null;
        foreach (var line in body.Split('\n'))
        {
            var isMark = line.StartsWith("--" + boundary, StringComparison.Ordinal)
                && line[(2 + boundary.Length)..].TrimEnd() is "" or "--";
            if (isMark && part is not null)
            {
                // The line end before a boundary belongs to the boundary.
                yield return part.Length > 0 ? part.ToString(0, part.Length - 1) : "";
            }

            if (isMark)
            {
                part = line.TrimEnd().EndsWith("--", StringComparison.Ordinal) && line.TrimEnd().Length == boundary.Length + 4
                    ? null
                    : new();
            }
            else
            {
                part?.Append(line).Append('\n');
            }
        }

        if (part is not null)
        {
            yield return part.ToString();
        }
    }

    private static string? Parameter(string contentType, string name)
    {
        var match = ParameterPattern().Matches(contentType)
            .FirstOrDefault(one => one.Groups["name"].Value.Equals(name, StringComparison.OrdinalIgnoreCase));
        return match is null ? null : match.Groups["quoted"].Success ? match.Groups["quoted"].Value : match.Groups["plain"].Value;
    }

    private static string FromBase64(string text)
    {
        var letters = string.Concat(text.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '+' or '/'));
        var bytes = new byte[letters.Length];
        return Convert.TryFromBase64String(letters.PadRight((letters.Length + 3) / 4 * 4, '='), bytes, out var length)
            ? Encoding.UTF8.GetString(bytes, 0, length) : text;
    }

    private static string FromQuotedPrintable(string text)
    {
        var bytes = new List<byte>(text.Length);
        var joined = SoftBreak().Replace(text, "");
        for (var index = 0; index < joined.Length; index++)
        {
            if (joined[index] == '=' && index + 2 < joined.Length
                && byte.TryParse(joined.AsSpan(index + 1, 2), System.Globalization.NumberStyles.HexNumber, null, out var value))
            {
                bytes.Add(value);
                index += 2;
            }
            else
            {
                bytes.Add((byte)joined[index]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    [GeneratedRegex("""(?<name>[A-Za-z0-9-]+)\s*=\s*(?:"(?<quoted>[^"]*)"|(?<plain>[^;\s]+))""", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex ParameterPattern();

    [GeneratedRegex("=[ \t]*\n", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex SoftBreak();
}
