using Lifecycle.Kernel;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// Bounds the bytes of ingest requests under way in this process, from the first byte of a body to its answer: with them the memory that is
/// read, parsed and waits for a commit, which is some times as much.
/// </summary>
internal sealed class IngestRoom(IOptions<CaptureOptions> options)
{
    private long taken;

    /// <summary>Answer while there is none.</summary>
    public static Error Full =>
        Error.Unavailable("Too many messages are waiting; send them again later.") with { RetryAfter = IngestQueue.RetryAfter };

    /// <summary>False when there is no room for so many bytes more; one request is always taken.</summary>
    public bool TryTake(long bytes)
    {
        var total = Interlocked.Add(ref taken, bytes);
        if (total <= options.Value.MaxIngestBytes || total == bytes)
        {
            return true;
        }

        Give(bytes);
        CaptureTelemetry.Refused.Add(1);
        return false;
    }

    public void Give(long bytes) => Interlocked.Add(ref taken, -bytes);
}
