using System.Diagnostics;
using Lifecycle.Contracts;

namespace Lifecycle.Postgres;

/// <summary>
/// Brings events of a workspace that wait at the same time into one piece of work. A workspace has a few pieces under way at most; what
/// comes meanwhile forms the next one. Safe for concurrent use; one per kind of event and process.
/// </summary>
/// <param name="maxWeight">Most weight of a piece, unless one event has more.</param>
/// <param name="concurrent">Most pieces of a workspace at a time.</param>
public sealed class EventGatherer<TEvent>(int maxWeight, int concurrent)
    where TEvent : class, ILifecycleEvent
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Line> lines = [];

    public int MaxWeight => maxWeight;

    /// <summary>Waits until the event was handled, perhaps with others.</summary>
    /// <param name="e">The event.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="work">Handles events of one workspace; all of them come from this method.</param>
    /// <param name="ct">Gives up waiting, and cancels a piece that was begun with this event.</param>
    /// <returns>What the piece failed with; null: it succeeded.</returns>
    internal async Task<Exception?> Gather(TEvent e, int weight, Func<IReadOnlyList<TEvent>, CancellationToken, Task> work, CancellationToken ct)
    {
        var entry = new Entry(e, weight, work, ct);
        Line? line;
        lock (gate)
        {
            if (!lines.TryGetValue(e.WorkspaceId, out line))
            {
                lines.Add(e.WorkspaceId, line = new());
            }

            line.Waiting.Enqueue(entry);
            if (line.Running == concurrent)
            {
                line = null;
            }
            else
            {
                line.Running++;
            }
        }

        if (line is not null)
        {
            _ = Task.Run(() => Work(e.WorkspaceId, line), CancellationToken.None);
        }

        return await entry.Done.Task;
    }

    private async Task Work(Guid workspaceId, Line line)
    {
        while (Next(workspaceId, line) is { } piece)
        {
            Exception? fault = null;
            try
            {
                // What is published belongs to the trace of the first.
                Activity.Current = piece[0].Trace;
                await piece[0].Work(piece.Select(entry => entry.Event).ToArray(), piece[0].Cancelled);
            }
            catch (Exception exception)
            {
                fault = exception;
            }

            foreach (var entry in piece)
            {
                entry.Done.SetResult(fault);
            }
        }
    }

    private List<Entry>? Next(Guid workspaceId, Line line)
    {
        lock (gate)
        {
            var (piece, weight) = (new List<Entry>(), 0);
            while (line.Waiting.TryPeek(out var entry) && (piece.Count == 0 || weight + entry.Weight <= maxWeight))
            {
                piece.Add(line.Waiting.Dequeue());
                weight += entry.Weight;
            }

            if (piece.Count > 0)
            {
                return piece;
            }

            if (--line.Running == 0)
            {
                lines.Remove(workspaceId);
            }

            return null;
        }
    }

    private sealed class Line
    {
        public Queue<Entry> Waiting { get; } = new();

        public int Running { get; set; }
    }

    private sealed record Entry(TEvent Event, int Weight, Func<IReadOnlyList<TEvent>, CancellationToken, Task> Work, CancellationToken Cancelled)
    {
        public Activity? Trace { get; } = Activity.Current;

        public TaskCompletionSource<Exception?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
