using System.Globalization;
using System.Text;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>One mail ready to be handed over.</summary>
/// <param name="MessageId">Without angle brackets; the same whenever the same mail is handed over again.</param>
/// <param name="UnsubscribeUrl">For one-click unsubscribing (RFC 8058); null for a test mail.</param>
public sealed record MailContent(
    string MessageId,
    string FromAddress,
    string FromName,
    string ToAddress,
    string? ReplyTo,
    string Subject,
    string Html,
    string Text,
    string? UnsubscribeUrl)
{
    /// <summary>Envelope sender; null: <see cref="FromAddress"/>.</summary>
    public string? BounceAddress { get; init; }

    /// <summary>Signs the mail; null: unsigned.</summary>
    public DkimSigner? Signer { get; init; }

    /// <summary>The mail as it is handed over: signed where there is a key.</summary>
    public string ToMime(DateTimeOffset date) => Signer is null ? Compose(date) : Signer.Sign(Compose(date), date);

    /// <summary>
    /// The mail as RFC 5322 text with CRLF lines: multipart/alternative, plain text first, both parts in UTF-8 and quoted-printable, no
    /// line over 76 characters in the bodies.
    /// </summary>
    private string Compose(DateTimeOffset date)
    {
        // Every part is quoted-printable, in which "=_" cannot occur: no body can hold the boundary.
        const string Boundary = "=_lifecycle_part";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Message-ID: <{MessageId}>\r\n")
            .Append(CultureInfo.InvariantCulture, $"Date: {date.UtcDateTime:ddd, dd MMM yyyy HH:mm:ss} +0000\r\n")
            .Append(CultureInfo.InvariantCulture, $"From: {Mailbox(FromName, FromAddress)}\r\n")
            .Append(CultureInfo.InvariantCulture, $"To: <{ToAddress}>\r\n");
        if (!string.IsNullOrEmpty(ReplyTo))
        {
            text.Append(CultureInfo.InvariantCulture, $"Reply-To: <{ReplyTo}>\r\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"Subject: {HeaderText.Encode(Subject, "Subject: ".Length)}\r\n");
        if (UnsubscribeUrl is { } url)
        {
            text.Append(
                CultureInfo.InvariantCulture, $"List-Unsubscribe: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
        }

        text.Append("MIME-Version: 1.0\r\n")
            .Append(CultureInfo.InvariantCulture, $"Content-Type: multipart/alternative; boundary=\"{Boundary}\"\r\n\r\n");
        foreach (var (type, body) in new[] { ("text/plain", Text), ("text/html", Html) })
        {
            text.Append(CultureInfo.InvariantCulture, $"--{Boundary}\r\nContent-Type: {type}; charset=utf-8\r\n")
                .Append("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
                .Append(QuotedPrintable.Encode(body)).Append("\r\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"--{Boundary}--\r\n").ToString();
    }

    private static string Mailbox(string name, string address) =>
        name.Length == 0 ? $"<{address}>" : $"{HeaderText.Encode(name, "From: ".Length, quote: true)} <{address}>";
}

/// <summary>Text of header fields.</summary>
public static class HeaderText
{
    private const int EncodedWordBytes = 42;

    /// <summary>
    /// The text as it may stand in a header: control characters become spaces (no header can be smuggled in), text beyond ASCII or beyond
    /// one line becomes folded encoded words (RFC 2047, base64 of UTF-8, never splitting a character).
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <param name="used">Characters that the line has already.</param>
    /// <param name="quote">Plain text becomes a quoted string, as a display name must be where it has special characters.</param>
    public static string Encode(string text, int used, bool quote = false)
    {
        var clean = string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();
        if (clean.All(char.IsAscii) && clean.Length + used <= 76 && !clean.Contains("=?", StringComparison.Ordinal))
        {
            var escaped = clean.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            return quote ? $"\"{escaped}\"" : clean;
        }

        var (words, word) = (new List<string>(), new List<byte>());
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in clean.EnumerateRunes())
        {
            var length = rune.EncodeToUtf8(bytes);
            if (word.Count + length > EncodedWordBytes)
            {
                words.Add(Word(word));
                word.Clear();
            }

            word.AddRange(bytes[..length]);
        }

        words.Add(Word(word));
        return string.Join("\r\n ", words);
    }

    private static string Word(List<byte> bytes) => $"=?utf-8?B?{Convert.ToBase64String(bytes.ToArray())}?=";
}

/// <summary>Quoted-printable transfer encoding (RFC 2045, 6.7) of UTF-8 text.</summary>
public static class QuotedPrintable
{
    private const int MaxLine = 76;

    public static string Encode(string text)
    {
        var result = new StringBuilder(text.Length + (text.Length / 8));
        var line = 0;
        var bytes = Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n"));
        for (var index = 0; index < bytes.Length; index++)
        {
            var value = bytes[index];
            if (value == '\n')
            {
                result.Append("\r\n");
                line = 0;
                continue;
            }

            var atLineEnd = index + 1 == bytes.Length || bytes[index + 1] == '\n';
            var plain = value is >= 33 and <= 126 and not (byte)'=' || (value is (byte)' ' or (byte)'\t' && !atLineEnd);
            var width = plain ? 1 : 3;
            // One character stays free for the soft break.
            if (line + width > MaxLine - 1)
            {
                result.Append("=\r\n");
                line = 0;
            }

            if (plain)
            {
                result.Append((char)value);
            }
            else
            {
                result.Append('=').Append(value.ToString("X2", CultureInfo.InvariantCulture));
            }

            line += width;
        }

        return result.ToString();
    }
}
