using System.Text;
using Lifecycle.Rpc.Rest;

namespace Lifecycle.Shared.UnitTests.Rpc;

public sealed class CsvTextTests
{
    [Theory]
    [InlineData("spring", "spring")]
    [InlineData("", "")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"hi\"", "\"say \"\"hi\"\"\"")]
    [InlineData("two\r\nlines", "\"two\r\nlines\"")]
    [InlineData(" blank ", "\" blank \"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+4930", "'+4930")]
    [InlineData("-2", "'-2")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("＝1", "'＝1")]
    [InlineData("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"")]
    public void Text_OfAnybody_IsQuotedAndNoFormula(string text, string expected) => Assert.Equal(expected, CsvText.Text(text));

    [Fact]
    public void Number_BelowZero_StaysANumber() => Assert.Equal("-0.5", CsvText.Number("-0.5"));

    [Fact]
    public void AppendLine_AnyCells_EndsInCarriageReturnAndLineFeed()
    {
        var output = new StringBuilder();
        CsvText.AppendLine(output, ["a", "b"]);
        Assert.Equal("a,b\r\n", output.ToString());
    }
}
