namespace Lifecycle.Scoring.Jobs;

/// <summary>When to look at which workspace next. Safe for concurrent use.</summary>
/// <param name="time">Clock.</param>
public sealed class WorkspaceAgenda(TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, DateTimeOffset> looks = [];
    private TaskCompletionSource bell = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool everywhere = true;

    /// <summary>Looks at the workspace then, or before if that was planned.</summary>
    public void Plan(Guid workspaceId, DateTimeOffset at)
    {
        lock (gate)
        {
            if (!looks.TryGetValue(workspaceId, out var planned) || at < planned)
            {
                looks[workspaceId] = at;
                bell.TrySetResult();
            }
        }
    }

    /// <summary>What was planned may be wrong: look at every workspace.</summary>
    public void LookEverywhere()
    {
        lock (gate)
        {
            everywhere = true;
            bell.TrySetResult();
        }
    }

    /// <summary>Waits until there is something to look at, or for so long: then it is time to look everywhere.</summary>
    /// <returns>The workspaces whose time has come, taken out of the plan, or that every workspace is to be looked at.</returns>
    public async Task<(bool Everywhere, IReadOnlyList<Guid> Workspaces)> Next(DateTimeOffset sweep, CancellationToken ct)
    {
        while (true)
        {
            Task rung;
            TimeSpan pause;
            lock (gate)
            {
                var now = time.GetUtcNow();
                if (everywhere || now >= sweep)
                {
                    everywhere = false;
                    looks.Clear();
                    return (true, []);
                }

                var come = looks.Where(look => look.Value <= now).Select(look => look.Key).ToArray();
                foreach (var workspaceId in come)
                {
                    looks.Remove(workspaceId);
                }

                if (come.Length > 0)
                {
                    return (false, come);
                }

                var next = looks.Count > 0 && looks.Values.Min() is var first && first < sweep ? first : sweep;
                pause = next - now;
                if (bell.Task.IsCompleted)
                {
                    bell = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                rung = bell.Task;
            }

            // A timer's unit is the millisecond: up to the next one, or it would be early and ask again at once.
            await Task.WhenAny(rung, Task.Delay(pause + TimeSpan.FromMilliseconds(1), time, ct));
            ct.ThrowIfCancellationRequested();
        }
    }
}
