using System.Collections.Concurrent;

namespace Aspire.Hosting.Running;

/// <param name="Number">From 1, without gaps.</param>
/// <param name="Text">The line after its time in RFC 3339, as the dashboard expects it.</param>
internal sealed record LogLine(int Number, string Text, bool IsError)
{
    /// <summary>The line as the process wrote it.</summary>
    public string Message => Text[TimeLength..].TrimStart(' ', '\t');

    /// <summary>The time's text, by which lines of the two streams can be put in order; empty when the line has none.</summary>
    public string Time => Text[..TimeLength];

    private int TimeLength =>
        Text.Length > 20 && char.IsAsciiDigit(Text[0]) && Text[10] == 'T' && Text.IndexOfAny([' ', '\t']) is > 0 and var end ? end : 0;
}

/// <summary>The last lines of each resource's console output.</summary>
internal sealed class ResourceLogs
{
    private const int Kept = 5000;
    private readonly ConcurrentDictionary<string, Buffer> _buffers = new();

    public void Append(string resource, string text, bool isError) => Of(resource).Append(text, isError);

    /// <summary>Kept lines after number <paramref name="after"/>; waits until there is one.</summary>
    public Task<IReadOnlyList<LogLine>> ReadAsync(string resource, int after, CancellationToken cancellationToken) =>
        Of(resource).ReadAsync(after, cancellationToken);

    public IReadOnlyList<LogLine> Read(string resource) => Of(resource).Read(0);

    private Buffer Of(string resource) => _buffers.GetOrAdd(resource, _ => new Buffer());

    private sealed class Buffer
    {
        private readonly Lock _lock = new();
        private readonly Queue<LogLine> _lines = new();
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _last;

        public void Append(string text, bool isError)
        {
            lock (_lock)
            {
                _lines.Enqueue(new LogLine(++_last, text, isError));
                if (_lines.Count > Kept) _lines.Dequeue();
                _changed.TrySetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public IReadOnlyList<LogLine> Read(int after)
        {
            lock (_lock) return [.. _lines.Where(l => l.Number > after)];
        }

        public async Task<IReadOnlyList<LogLine>> ReadAsync(int after, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task changed;
                lock (_lock)
                {
                    if (_last > after) return [.. _lines.Where(l => l.Number > after)];
                    changed = _changed.Task;
                }

                await changed.WaitAsync(cancellationToken);
            }
        }
    }
}
