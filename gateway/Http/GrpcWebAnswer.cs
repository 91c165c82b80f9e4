using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Lifecycle.Gateway.Http;

/// <summary>
/// The body of a gRPC-Web answer: what is written, in text mode as base64 piece by piece, and at the end the trailers as a frame with the
/// highest bit of its flags set.
/// </summary>
internal sealed class GrpcWebAnswer : IHttpResponseBodyFeature, IHttpResponseTrailersFeature
{
    private const byte TrailerFlag = 0x80;
    private const int FrameHeader = 5;

    private readonly IHttpResponseBodyFeature inner;
    private bool isDone;

    public GrpcWebAnswer(IHttpResponseBodyFeature inner, bool isText)
    {
        this.inner = inner;
        Stream = isText ? new Base64Pieces(inner.Stream) : inner.Stream;
        Writer = isText ? PipeWriter.Create(Stream, new StreamPipeWriterOptions(leaveOpen: true)) : inner.Writer;
    }

    public Stream Stream { get; }

    public PipeWriter Writer { get; }

    public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();

    /// <summary>Writes the trailers once; an answer without any told its status in the headers.</summary>
    public async Task WriteTrailers()
    {
        if (isDone)
        {
            return;
        }

        isDone = true;
        await Writer.FlushAsync();
        if (Trailers.Count == 0)
        {
            return;
        }

        var lines = string.Concat(
            Trailers.SelectMany(trailer => trailer.Value, (trailer, value) => $"{trailer.Key.ToLowerInvariant()}:{value}\r\n"));
        var frame = new byte[FrameHeader + Encoding.ASCII.GetByteCount(lines)];
        frame[0] = TrailerFlag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - FrameHeader);
        Encoding.ASCII.GetBytes(lines, frame.AsSpan(FrameHeader));
        await Stream.WriteAsync(frame);
        await Stream.FlushAsync();
    }

    public async Task CompleteAsync()
    {
        await WriteTrailers();
        await inner.CompleteAsync();
    }

    public void DisableBuffering() => inner.DisableBuffering();

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

    /// <summary>
    /// Encodes each write by itself, padding included, as the protocol allows: nothing waits for a multiple of three bytes.
    /// </summary>
    private sealed class Base64Pieces(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!buffer.IsEmpty)
            {
                await inner.WriteAsync(Encoding.ASCII.GetBytes(Convert.ToBase64String(buffer.Span)), cancellationToken);
            }
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => throw new NotSupportedException("Answers are written asynchronously.");

        public override void Write(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("Answers are written asynchronously.");

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
