using System.Net;
using System.Text;

namespace Lifecycle.Testing;

/// <summary>A CSV file that stops after some rows until it may go on, or breaks off.</summary>
public sealed class PausedFile : HttpContent
{
    private readonly TaskCompletionSource more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] first;
    private readonly byte[] rest;

    /// <param name="file">The whole file, with its header.</param>
    /// <param name="rows">Rows that are sent before the pause.</param>
    public PausedFile(string file, int rows)
    {
        var cut = Enumerable.Range(0, rows + 1).Aggregate(0, (at, _) => file.IndexOf('\n', at) + 1);
        (first, rest) = (Encoding.UTF8.GetBytes(file[..cut]), Encoding.UTF8.GetBytes(file[cut..]));
        Headers.ContentType = new("text/csv");
    }

    public void GoOn() => more.TrySetResult();

    public void Break() => more.TrySetException(new IOException("The sender went away."));

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(first);
        await stream.FlushAsync();
        await more.Task;
        await stream.WriteAsync(rest);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
