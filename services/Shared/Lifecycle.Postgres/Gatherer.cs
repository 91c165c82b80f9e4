using System.Diagnostics;

namespace Lifecycle.Postgres;

/// <summary>
/// Brings items of a workspace, such as events or requests, that wait at the same time into one piece of work. A workspace has a few pieces
/// under way at most; what comes meanwhile forms the next one. Safe for concurrent use; one per kind of item and process.
/// </summary>
/// <param name="maxWeight">Most weight of a piece, unless one item has more.</param>
/// <param name="concurrent">Most pieces of a workspace at a time.</param>
public class Gatherer<TItem>(int maxWeight, int concurrent)
    where TItem : class
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Line> lines = [];

    public int MaxWeight => maxWeight;

    /// <summary>Waits until the item was handled, perhaps with others. It stands in line when the method returns its task.</summary>
    /// <param name="workspaceId">Its workspace.</param>
    /// <param name="item">The item.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="work">Handles items of one workspace; all of them come from this method.</param>
    /// <param name="ct">Cancels a piece that was begun with this item.</param>
    /// <returns>What the piece failed with; null: it succeeded.</returns>
    internal async Task<Exception?> Gather(
        Guid workspaceId, TItem item, int weight, Func<IReadOnlyList<TItem>, CancellationToken, Task> work, CancellationToken ct)
    {
        var entry = new Entry(item, weight, work, ct);
        Line? line;
        lock (gate)
        {
            if (!lines.TryGetValue(workspaceId, out line))
            {
                lines.Add(workspaceId, line = new());
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
            _ = Task.Run(() => Work(workspaceId, line), CancellationToken.None);
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
                await piece[0].Work(piece.Select(entry => entry.Item).ToArray(), piece[0].Cancelled);
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

    private sealed record Entry(
        TItem Item, int Weight, Func<IReadOnlyList<TItem>, CancellationToken, Task> Work, CancellationToken Cancelled)
    {
        public Activity? Trace { get; } = Activity.Current;

        public TaskCompletionSource<Exception?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
