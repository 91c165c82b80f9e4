using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Lifecycle.Benchmarks;

/// <summary>A mail server that takes every mail, counts it and forgets it. Several commands may come at once (RFC 2920).</summary>
internal sealed class CountingSmtpSink : IAsyncDisposable
{
    private static readonly byte[] Greeting = "220 sink\r\n"u8.ToArray();
    private static readonly byte[] Hello = "250-sink\r\n250 PIPELINING\r\n"u8.ToArray();
    private static readonly byte[] Fine = "250 ok\r\n"u8.ToArray();
    private static readonly byte[] GoOn = "354 go on\r\n"u8.ToArray();

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly Task accepting;
    private long begin;
    private long last;

    public CountingSmtpSink()
    {
        listener.Start();
        accepting = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Mails that come before the rate is counted.</summary>
    public long WarmUp { get; private set; }

    /// <summary>Mails taken since <see cref="Reset"/>.</summary>
    public long Count { get; private set; }

    /// <summary>Characters of all mails.</summary>
    public long Bytes { get; private set; }

    /// <summary>Mails taken per second, from the last of the warm-up to the last of all.</summary>
    public double Rate => (Count - Math.Max(WarmUp, 1)) / Stopwatch.GetElapsedTime(begin, last).TotalSeconds;

    public void Reset(long warmUp)
    {
        lock (gate)
        {
            (Count, Bytes, WarmUp) = (0, 0, warmUp);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        stopping.Dispose();
    }

    private async Task Accept()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                sessions.Add(Serve(await listener.AcceptTcpClientAsync(stopping.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task Serve(TcpClient client)
    {
        using var _ = client;
        client.NoDelay = true;
        try
        {
            var (stream, buffer, held, inMail) = (client.GetStream(), new byte[1 << 20], 0, false);
            var answers = new ArrayBufferWriter<byte>();
            await stream.WriteAsync(Greeting, stopping.Token);
            while (await stream.ReadAsync(buffer.AsMemory(held), stopping.Token) is > 0 and var read)
            {
                held += read;
                var used = Answer(buffer.AsSpan(0, held), ref inMail, answers);
                buffer.AsSpan(used, held - used).CopyTo(buffer);
                held -= used;
                if (answers.WrittenCount > 0)
                {
                    await stream.WriteAsync(answers.WrittenMemory, stopping.Token);
                    answers.ResetWrittenCount();
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The client, or this server, went away.
        }
    }

    /// <returns>Bytes of what has come whole.</returns>
    private int Answer(ReadOnlySpan<byte> text, ref bool inMail, ArrayBufferWriter<byte> answers)
    {
        var used = 0;
        while (true)
        {
            var rest = text[used..];
            var end = inMail ? rest.IndexOf("\r\n.\r\n"u8) : rest.IndexOf("\r\n"u8);
            if (end < 0)
            {
                return used;
            }

            var size = end + (inMail ? 5 : 2);
            used += size;
            if (inMail)
            {
                Take(size);
                inMail = false;
                answers.Write(Fine);
            }
            else
            {
                inMail = rest.StartsWith("DATA"u8);
                answers.Write(inMail ? GoOn : rest.StartsWith("EHLO"u8) ? Hello : Fine);
            }
        }
    }

    private void Take(int size)
    {
        lock (gate)
        {
            Bytes += size;
            last = Stopwatch.GetTimestamp();
            if (++Count <= Math.Max(WarmUp, 1))
            {
                begin = last;
            }
        }
    }
}
