using System.Buffers;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>A request's body in a rented buffer: bodies beyond 85 kB would else be garbage that only the rarest collection finds.</summary>
internal sealed class PooledBody : IDisposable
{
    private const int FirstSize = 16 * 1024;

    private byte[] buffer = [];
    private int length;

    /// <summary>What was read; until <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

    /// <summary>Reads to the end.</summary>
    /// <param name="stream">The body, decompressed.</param>
    /// <param name="expected">Its length, as far as the sender tells; no more than a hint.</param>
    /// <param name="maxBytes">Most bytes taken.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>False when there are more.</returns>
    public async Task<bool> Read(Stream stream, long? expected, int maxBytes, CancellationToken ct)
    {
        // One byte more, so that the end of a body of the expected length is seen without another buffer.
        buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp((expected ?? 0) + 1, FirstSize, maxBytes + 1L));
        while (true)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), ct);
            length += count;
            if (count == 0 || length > maxBytes)
            {
                return count == 0;
            }

            if (length == buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(length * 2);
                buffer.AsSpan().CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }
    }

    public void Dispose()
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
        }
    }
}
