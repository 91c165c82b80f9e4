using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Lifecycle.Rpc.Rest;

/// <summary>
/// Writes a stream of messages as server-sent events, one JSON text per <c>data:</c>, or as NDJSON where the client accepts only that. A
/// comment (SSE) or an empty line (NDJSON) goes out soon after the start, so that the client has the headers, and whenever the stream is
/// idle.
/// </summary>
internal sealed class EventStreamWriter<T> : IServerStreamWriter<T>, IAsyncDisposable
    where T : IMessage
{
    private static readonly TimeSpan Opening = TimeSpan.FromMilliseconds(500);

    private readonly HttpContext http;
    private readonly bool events;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly CancellationTokenSource stop = new();
    private readonly TimeSpan heartbeat;
    private readonly TimeProvider time;
    private Task heartbeats = Task.CompletedTask;
    private long written;

    public EventStreamWriter(HttpContext http, TimeSpan heartbeat, TimeProvider time)
    {
        this.http = http;
        var accept = http.Request.Headers.Accept.ToString();
        events = !accept.Contains("ndjson", StringComparison.OrdinalIgnoreCase)
            || accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        (this.heartbeat, this.time) = (heartbeat, time);
    }

    /// <summary>Begins the heartbeats. Called once the method has begun, so that a request it refuses at once is answered by its
    /// status.</summary>
    public void Begin() => heartbeats = Beat(heartbeat, time);

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message) => WriteAsync(message, http.RequestAborted);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        var json = ProtoJson.Format(message);
        var id = StreamResumption.TokenOf(message) is { } token ? $"id: {token}\n" : "";
        return Write(events ? $"{id}data: {json}\n\n" : json + "\n", cancellationToken);
    }

    /// <summary>Sends the headers of a stream that had no message.</summary>
    public Task Complete() => http.Response.HasStarted ? Task.CompletedTask : Write("", http.RequestAborted);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await heartbeats;
        stop.Dispose();
        gate.Dispose();
    }

    private async Task Write(string text, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (!http.Response.HasStarted)
            {
                http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
                http.Response.ContentType = events ? "text/event-stream" : "application/x-ndjson";
                http.Response.Headers.CacheControl = "no-store";
            }

            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
            await http.Response.Body.FlushAsync(cancellationToken);
            written++;
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task Beat(TimeSpan interval, TimeProvider time)
    {
        try
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, http.RequestAborted);
            for (var (pause, seen) = (Opening, 0L); ; pause = interval)
            {
                await Task.Delay(pause, time, both.Token);
                if (Interlocked.Read(ref written) == seen)
                {
                    await Write(events ? ": alive\n\n" : "\n", both.Token);
                }

                seen = Interlocked.Read(ref written);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The stream ended or the client went away; the method's own writes tell it so.
        }
    }
}
