using Lifecycle.Nurture.Features.LintEmail;
using Lifecycle.Nurture.Features.RenderEmail;

namespace Nurture.UnitTests;

public sealed class HtmlLintTests
{
    [Theory]
    [InlineData("<a href=\"/guide\">g</a> text", "RELATIVE_LINK /guide")]
    [InlineData("<a href=\"www.example.com\">g</a> text", "RELATIVE_LINK www.example.com")]
    [InlineData("<a href=\"\">g</a> text", "EMPTY_LINK ")]
    [InlineData("<a>g</a> text", "EMPTY_LINK ")]
    [InlineData("<a name=\"top\"></a> text", "")]
    [InlineData("<a href=\"https://intranet/x\">g</a> text", "BROKEN_LINK https://intranet/x")]
    [InlineData("<a href=\"javascript:alert(1)\">g</a> text", "BROKEN_LINK javascript:alert(1)")]
    [InlineData("<a href=\"http://example.com\">g</a> text", "UNSECURED_LINK http://example.com")]
    [InlineData("<a href=\"https://example.com\">g</a> <a href=\"mailto:a@example.com\">m</a>", "")]
    [InlineData("<img src=\"https://example.com/a.png\"> text", "IMAGE_WITHOUT_ALT https://example.com/a.png")]
    [InlineData("<img src=\"https://example.com/a.png\" alt=\"\"> text", "")]
    [InlineData("<img src=\"a.png\" alt=\"A\"> text", "RELATIVE_LINK a.png")]
    [InlineData("<script>1</script> text", "SCRIPT ")]
    [InlineData("<img src=\"https://example.com/a.png\" alt=\"\">", "EMPTY_TEXT ")]
    public void Findings_OfHtml(string html, string expected) => Assert.Equal(
        expected,
        string.Join(
            ", ", HtmlLint.Findings(new RenderedMail("Hi", html, ""), true, true, 1000).Select(found => $"{found.Code} {found.Url}")));

    [Fact]
    public void Findings_OfTheWholeMail()
    {
        var found = HtmlLint.Findings(new RenderedMail(new string('s', 90), "<p>Hi</p>", ""), false, false, HtmlLint.ClipBytes + 1);

        Assert.Equal(["NO_UNSUBSCRIBE_LINK", "NO_PLAIN_TEXT", "CLIPPED", "LONG_SUBJECT"], found.Select(one => one.Code));
    }
}
