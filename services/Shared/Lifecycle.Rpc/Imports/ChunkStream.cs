using Google.Protobuf;
using Grpc.Core;
using Lifecycle.Common.V1;

namespace Lifecycle.Rpc;

/// <summary>The data of import chunks as one stream that is read forward, asynchronously.</summary>
internal sealed class ChunkStream(IAsyncStreamReader<ImportChunk> chunks, ByteString first) : Stream
{
    private ReadOnlyMemory<byte> rest = first.Memory;

    /// <summary>Cancels reads that carry no token of their own, as those of <see cref="StreamReader"/>.</summary>
    public CancellationToken CancellationToken { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (rest.IsEmpty)
        {
            if (!await chunks.MoveNext(cancellationToken.CanBeCanceled ? cancellationToken : CancellationToken))
            {
                return 0;
            }

            rest = chunks.Current.Data.Memory;
        }

        var count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        rest = rest[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Chunks are read asynchronously.");

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
