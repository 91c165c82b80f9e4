using System.IO.Compression;
using Lifecycle.Capture.Features.ServeTracking;

namespace Capture.UnitTests.Messages;

public sealed class TrackingScriptTests
{
    [Fact]
    public void Script_Compressed_IsSmallerThan4Kilobytes()
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(TrackingEndpoints.ReadScript());
        }

        Assert.InRange(buffer.Length, 500, 4096);
    }
}
