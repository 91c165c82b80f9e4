using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Nurture.Domain.Emails;

namespace Nurture.UnitTests;

public sealed class MailTests
{
    private static readonly byte[] Key = Encoding.UTF8.GetBytes("a key of thirty-two bytes length");

    [Theory]
    [InlineData(" Ada.Lovelace@Example.COM ", "ada.lovelace@example.com")]
    [InlineData("grüße@bücher.example", "grüße@xn--bcher-kva.example")]
    [InlineData("ada@localhost", null)]
    [InlineData("ada", null)]
    [InlineData("@example.com", null)]
    [InlineData("a@b@example.com", null)]
    [InlineData("ada@example.com\r\nBcc: eve@example.com", null)]
    [InlineData("<ada@example.com>", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Normalize_Address(string? text, string? expected) => Assert.Equal(expected, EmailAddress.Normalize(text));

    [Fact]
    public void Token_OfOneKind_OpensNoOtherAndNoOtherKey()
    {
        var token = new EmailToken(
            LinkKind.Click, Guid.Parse("01900000-0000-7000-8000-000000000001"), Guid.Parse("01900000-0000-7000-8000-000000000002"), 7);
        var text = token.Sign(Key);

        Assert.Equal(token, EmailToken.Verify(text, LinkKind.Click, Key));
        Assert.Null(EmailToken.Verify(text, LinkKind.Unsubscribe, Key));
        Assert.Null(EmailToken.Verify(text, LinkKind.Click, "another key of thirty-two bytes."u8));
    }

    [Fact]
    public void Token_WithAnyCharacterChanged_IsRefused()
    {
        var text = new EmailToken(
            LinkKind.Open,
            Guid.Parse("01900000-0000-7000-8000-000000000001"),
            Guid.Parse("01900000-0000-7000-8000-000000000002"),
            0).Sign(Key);

        for (var index = 0; index < text.Length; index++)
        {
            var changed = text[..index] + (text[index] == 'A' ? 'B' : 'A') + text[(index + 1)..];
            Assert.True(EmailToken.Verify(changed, LinkKind.Open, Key) is null || changed == text, $"character {index}");
        }

        Assert.Null(EmailToken.Verify("", LinkKind.Open, Key));
        Assert.Null(EmailToken.Verify("../../etc", LinkKind.Open, Key));
    }

    [Fact]
    public void Rewrite_WebLinks_LeadThroughTheSuiteAndOthersStay()
    {
        const string Html =
            """<a class="x" href="https://example.com/a?b=1&amp;c=2">A</a> <a href='mailto:ada@example.com'>M</a> <a href="https://u.example/e/u/t">U</a> <A HREF='http://example.com'>B</A>""";

        var tracked = TrackedHtml.Rewrite(Html, "https://u.example/e/u/t", index => $"https://t.example/{index}");

        Assert.Equal(["https://example.com/a?b=1&c=2", "http://example.com"], tracked.Links);
        Assert.Equal(
            """<a class="x" href="https://t.example/0">A</a> <a href='mailto:ada@example.com'>M</a> <a href="https://u.example/e/u/t">U</a> <A HREF="https://t.example/1">B</A>""",
            tracked.Html);
    }

    [Fact]
    public void AddMarks_WithABody_GoInsideIt() =>
        Assert.Matches("^<body>hi<a href=\"h\".*<img src=\"p\".*></body>$", TrackedHtml.AddMarks("<body>hi</body>", "h", "p"));

    [Fact]
    public void EnsureUnsubscribe_MailThatHasTheLink_IsLeftAlone()
    {
        Assert.Equal(
            "<a href=\"https://x/e/u/t\">u</a>", TrackedHtml.EnsureUnsubscribe("<a href=\"https://x/e/u/t\">u</a>", "https://x/e/u/t"));
        Assert.Contains(
            "href=\"https://x/e/u/t\"", TrackedHtml.EnsureUnsubscribe("<p>hi</p>", "https://x/e/u/t"), StringComparison.Ordinal);
    }

    [Fact]
    public void PlainText_OfHtml_KeepsWordsLinksAndLists()
    {
        const string Html = """
            <html><head><title>T</title><style>p{color:red}</style></head><body><h1>Welcome,  Ada</h1>
            <p>Read <a href="https://example.com/guide">the guide</a> &amp; enjoy.<br>Soon.</p><ul><li>One</li><li>Two</li></ul></body></html>
            """;

        Assert.Equal(
            "Welcome, Ada\n\nRead the guide (https://example.com/guide) & enjoy.\nSoon.\n\n- One\n\n- Two\n", PlainText.FromHtml(Html));
    }

    [Fact]
    public void Mime_Headers_CarryWhatReceiversAskFor()
    {
        var mail = new MailContent(
            "1@lifecycle.example", "hello@example.com", "Grüße \"Team\"", "ada@example.com", "reply@example.com",
            "Hi\r\nBcc: eve@example.com",
            "<p>.</p>\n.", "text", "https://x/e/u/t");

        var mime = mail.ToMime(new DateTimeOffset(2026, 3, 1, 9, 5, 7, TimeSpan.Zero));
        var headers = mime[..mime.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n");

        Assert.Contains("Message-ID: <1@lifecycle.example>", headers);
        Assert.Contains("Date: Sun, 01 Mar 2026 09:05:07 +0000", headers);
        Assert.Contains("Subject: Hi  Bcc: eve@example.com", headers);
        Assert.Contains("List-Unsubscribe: <https://x/e/u/t>", headers);
        Assert.Contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click", headers);
        Assert.DoesNotContain(headers, header => header.StartsWith("Bcc", StringComparison.Ordinal));
        Assert.Contains(
            headers,
            header =>
                header.StartsWith("From: =?utf-8?B?", StringComparison.Ordinal)
                    && header.EndsWith("<hello@example.com>", StringComparison.Ordinal));
        Assert.DoesNotContain('\n', mime.Replace("\r\n", "", StringComparison.Ordinal));
        Assert.All(mime.Split("\r\n"), line => Assert.InRange(line.Length, 0, 998));
    }

    [Fact]
    public void QuotedPrintable_AnyText_ComesBackAndKeepsItsLinesShort() => Prop.ForAll<NonNull<string>>(text =>
    {
        var plain = string.Concat(text.Get.Where(letter => !char.IsSurrogate(letter))).ReplaceLineEndings("\n");
        var encoded = QuotedPrintable.Encode(plain);

        Assert.All(encoded.Split("\r\n"), line => Assert.InRange(line.Length, 0, 76));
        Assert.Matches("^[\\x20-\\x7E\\t\\r\\n]*$", encoded);
        Assert.Equal(plain, Decode(encoded));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void HeaderText_AnyText_ComesBackFromItsEncodedWords() => Prop.ForAll<NonNull<string>>(text =>
    {
        var plain = string.Concat(text.Get.Where(letter => !char.IsSurrogate(letter) && !char.IsControl(letter))).Trim() + "é";
        var encoded = HeaderText.Encode(plain, 9);

        Assert.All(encoded.Split("\r\n "), word => Assert.InRange(word.Length, 1, 75));
        var decoded = string.Concat(encoded.Split("\r\n ").Select(word => Encoding.UTF8.GetString(Convert.FromBase64String(word[10..^2]))));
        Assert.Equal(plain, decoded);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private static string Decode(string encoded)
    {
        var joined = encoded.Replace("=\r\n", "", StringComparison.Ordinal).Replace("\r\n", "\n", StringComparison.Ordinal);
        var bytes = new List<byte>();
        for (var index = 0; index < joined.Length; index++)
        {
            if (joined[index] == '=')
            {
                bytes.Add(byte.Parse(joined.AsSpan(index + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                index += 2;
            }
            else
            {
                bytes.Add((byte)joined[index]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
