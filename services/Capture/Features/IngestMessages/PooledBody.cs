using System.Buffers;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>A request's body in a rented buffer: bodies beyond 85 kB would else be garbage that only the rarest collection finds.</summary>
/// <param name="room">Where its bytes are counted until <see cref="Dispose"/>.</param>
internal sealed class PooledBody(IngestRoom room) : IDisposable
{
    private const int FirstSize = 16 * 1024;

    private byte[] buffer = [];
    private int length;
    private long taken;

    /// <summary>What was read; until <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

    /// <summary>Reads to the end.</summary>
    /// <param name="stream">The body, decompressed.</param>
    /// <param name="expected">Its length, as far as the sender tells; no more than a hint.</param>
    /// <param name="maxBytes">Most bytes taken.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<BodyRead> Read(Stream stream, long? expected, int maxBytes, CancellationToken ct)
    {
        // One byte more, so that the end of a body of the expected length is seen without another buffer.
        var size = (int)Math.Clamp((expected ?? 0) + 1, FirstSize, maxBytes + 1L);
        if (!Take(size))
        {
            return BodyRead.NoRoom;
        }

        buffer = ArrayPool<byte>.Shared.Rent(size);
        while (true)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), ct);
            length += count;
            if (count == 0 || length > maxBytes)
            {
                return count == 0 ? BodyRead.Whole : BodyRead.TooLarge;
            }

            if (length == buffer.Length)
            {
                if (!Take(length))
                {
                    return BodyRead.NoRoom;
                }

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

        room.Give(taken);
        taken = 0;
    }

    private bool Take(int more)
    {
        if (!room.TryTake(more))
        {
            return false;
        }

        taken += more;
        return true;
    }
}

/// <summary>How reading a body ended.</summary>
internal enum BodyRead
{
    /// <summary>At its end.</summary>
    Whole,

    /// <summary>Beyond the bytes taken.</summary>
    TooLarge,

    /// <summary>Without room for more.</summary>
    NoRoom,
}
