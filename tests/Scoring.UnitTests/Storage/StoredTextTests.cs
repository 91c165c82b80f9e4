using System.Text.Json;
using Lifecycle.Scoring.Storage;

namespace Scoring.UnitTests.Storage;

public sealed class StoredTextTests
{
    [Theory]
    [InlineData("a\0b", "ab")]
    [InlineData("\0\0", "")]
    [InlineData("\\\0", "\\")]
    [InlineData("\\u0000", "\\u0000")]
    [InlineData("plain", "plain")]
    public void Clean_Nul_IsGoneAndNothingElse(string text, string expected)
    {
        Assert.Equal(expected, StoredText.Clean(text));
        Assert.Equal(expected, JsonSerializer.Deserialize<string>(StoredText.CleanJson(JsonSerializer.Serialize(text))));
    }
}
