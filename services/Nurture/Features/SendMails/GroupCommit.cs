namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>
/// Commits what waits at the same time together: one commit at a time, and what comes meanwhile goes with the next. Safe for concurrent
/// use.
/// </summary>
/// <param name="commit">Commits some items, or throws and has committed none. What fails together is committed one by one.</param>
internal sealed class GroupCommit<T>(Func<IReadOnlyList<T>, Task> commit)
{
    private readonly Lock gate = new();
    private List<Entry> waiting = [];
    private bool isRunning;

    /// <summary>Ends when the item is committed; fails with what its own commit failed with.</summary>
    public Task Add(T item)
    {
        var entry = new Entry(item);
        lock (gate)
        {
            waiting.Add(entry);
            if (isRunning)
            {
                return entry.Done.Task;
            }

            isRunning = true;
        }

        _ = Task.Run(Work);
        return entry.Done.Task;
    }

    private async Task Work()
    {
        while (Next() is { } group)
        {
            if (await Commit(group) is null)
            {
                group.ForEach(entry => entry.Done.SetResult());
                continue;
            }

            foreach (var entry in group)
            {
                if (await Commit([entry]) is { } fault)
                {
                    entry.Done.SetException(fault);
                }
                else
                {
                    entry.Done.SetResult();
                }
            }
        }
    }

    private List<Entry>? Next()
    {
        lock (gate)
        {
            if (waiting.Count == 0)
            {
                isRunning = false;
                return null;
            }

            (var group, waiting) = (waiting, []);
            return group;
        }
    }

    private async Task<Exception?> Commit(List<Entry> group)
    {
        try
        {
            await commit(group.ConvertAll(entry => entry.Item));
            return null;
        }
        catch (Exception fault)
        {
            return fault;
        }
    }

    private sealed record Entry(T Item)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
