using Lifecycle.Scoring.Storage;

namespace Scoring.UnitTests.Storage;

public sealed class ChangeMarkTests
{
    [Theory]
    [InlineData("10:20:10,14,15", 20L, 10L, 14L, 15L)]
    [InlineData("731:731:", 731L)]
    public void Parse_Snapshot_TellsWhatHadNotEnded(string text, long next, params long[] running)
    {
        var mark = ChangeMark.Parse(text)!;
        Assert.Equal((text, next), (mark.Text, mark.Next));
        Assert.Equal(running, mark.Running);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1:2")]
    [InlineData("1:x:")]
    [InlineData("1:2:3,x")]
    [InlineData("1:-2:")]
    public void Parse_AnythingElse_IsNone(string text) => Assert.Null(ChangeMark.Parse(text));
}
