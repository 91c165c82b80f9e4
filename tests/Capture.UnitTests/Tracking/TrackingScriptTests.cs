using System.IO.Compression;
using System.Text;
using Lifecycle.Capture.Domain.Tracking;
using Lifecycle.Capture.Features.ServeTracking;

namespace Capture.UnitTests.Tracking;

public sealed class TrackingScriptTests
{
    [Fact]
    public void Script_Compressed_IsSmallerThan4Kilobytes()
    {
        Assert.InRange(TrackingScript.Bare.Compressed.Length, 500, 4096);
        Assert.InRange(TrackingScript.For(TrackingSettings.Default).Compressed.Length, 500, 4096);
    }

    [Fact]
    public void Script_OfSettings_EndsWithWhatAPageNeedsOfThem()
    {
        var script = TrackingScript.For(TrackingSettings.Default with
        {
            DownloadExtensions = ["pdf"],
            DefaultNumber = new("+15550100100", "<555>"),
            Numbers = [new("+15550100200", "(555) 010-0200", "a-secret-partner", null, null, null)],
        });

        var text = Encoding.UTF8.GetString(script.Plain);
        Assert.EndsWith(
            """({"cookieDomain":"","cookieDays":395,"requireConsent":false,"respectDnt":true,"ownDomains":[],"downloadExtensions":["pdf"],"""
            + """ "defaultNumber":{"number":"\u002B15550100100","displayNumber":"\u003C555\u003E"},"swapNumbers":true});""".TrimStart()
            + "\n",
            text, StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret-partner", text, StringComparison.Ordinal);
        using var gzip = new GZipStream(new MemoryStream(script.Compressed), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        Assert.Equal(text, reader.ReadToEnd());
    }

    [Fact]
    public void Script_WithoutAKnownKey_HasNoSettings()
    {
        Assert.EndsWith("(null);\n", Encoding.UTF8.GetString(TrackingScript.Bare.Plain), StringComparison.Ordinal);
        Assert.NotEqual(TrackingScript.Bare.Tag.Tag, TrackingScript.For(TrackingSettings.Default).Tag.Tag);
    }
}
