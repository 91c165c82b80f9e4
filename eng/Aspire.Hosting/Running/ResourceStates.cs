using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Running;

/// <summary>The names of states, as the dashboard knows them.</summary>
internal static class ResourceState
{
    public const string NotStarted = nameof(NotStarted);
    public const string Waiting = nameof(Waiting);
    public const string Starting = nameof(Starting);
    public const string Running = nameof(Running);
    public const string Stopping = nameof(Stopping);
    public const string Exited = nameof(Exited);
    public const string Finished = nameof(Finished);
    public const string FailedToStart = nameof(FailedToStart);
}

/// <param name="Key">The health check's name.</param>
/// <param name="Status">Null before the first run.</param>
internal sealed record HealthReport(string Key, HealthStatus? Status, string? Description, DateTimeOffset? LastRunAt);

/// <summary>A resource at one moment.</summary>
internal sealed record ResourceSnapshot(string Name, string DisplayName, string Type, IResource Resource, DateTimeOffset CreatedAt)
{
    /// <summary>Grows with every change of any resource.</summary>
    public long Version { get; init; }

    public string State { get; init; } = ResourceState.NotStarted;

    public int? ExitCode { get; init; }

    public int? ProcessId { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? StoppedAt { get; init; }

    public LaunchSpec? Launch { get; init; }

    public IReadOnlyList<HealthReport> Health { get; init; } = [];

    /// <summary>A parameter's or connection string's value; secrets are masked when shown.</summary>
    public string? Value { get; init; }

    public IEnumerable<EndpointReference> Endpoints { get; init; } = [];

    /// <summary>The instance under which the dashboard shows this one.</summary>
    public string? ParentName { get; init; }

    public bool IsHidden { get; init; }

    public bool HasEnded => State is ResourceState.Exited or ResourceState.Finished or ResourceState.FailedToStart;

    public bool CanStart => HasEnded || State == ResourceState.NotStarted;

    public bool IsHealthy => State == ResourceState.Running && Health.All(h => h.Status == HealthStatus.Healthy);

    /// <summary>One phrase on what keeps the resource from being healthy.</summary>
    public string Condition => State != ResourceState.Running ? State
        : Health.FirstOrDefault(h => h.Status != HealthStatus.Healthy) is { } failing
            ? $"Running, but not healthy ({failing.Key}: {failing.Description ?? "no answer yet"})"
            : State;
}

/// <summary>The present state of every resource, and a way to wait for changes without missing the last one.</summary>
internal sealed class ResourceStates
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceSnapshot> _snapshots = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version;

    public IReadOnlyList<ResourceSnapshot> All
    {
        get
        {
            lock (_lock) return [.. _snapshots.Values];
        }
    }

    public void Add(ResourceSnapshot snapshot) => Change(snapshot.Name, _ => snapshot);

    public ResourceSnapshot Get(string name)
    {
        lock (_lock) return _snapshots[name];
    }

    public ResourceSnapshot? Find(string name)
    {
        lock (_lock) return _snapshots.GetValueOrDefault(name);
    }

    /// <returns>The snapshot before and after.</returns>
    public (ResourceSnapshot Before, ResourceSnapshot After) Update(string name, Func<ResourceSnapshot, ResourceSnapshot> change) =>
        Change(name, before => change(before!));

    /// <summary>Resources that changed after <paramref name="version"/>, each as it is now; waits until there is one.</summary>
    public async Task<IReadOnlyList<ResourceSnapshot>> ChangedSinceAsync(long version, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                var news = _snapshots.Values.Where(s => s.Version > version).OrderBy(s => s.Version).ToArray();
                if (news.Length > 0) return news;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits until the instances of <paramref name="resource"/> satisfy <paramref name="condition"/>.</summary>
    public async Task<IReadOnlyList<ResourceSnapshot>> WaitAsync(
        IResource resource, Func<IReadOnlyList<ResourceSnapshot>, bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                var instances = _snapshots.Values.Where(s => ReferenceEquals(s.Resource, resource)).ToArray();
                if (condition(instances)) return instances;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private (ResourceSnapshot Before, ResourceSnapshot After) Change(string name, Func<ResourceSnapshot?, ResourceSnapshot> change)
    {
        lock (_lock)
        {
            var before = _snapshots.GetValueOrDefault(name);
            var after = change(before) with { Version = ++_version };
            _snapshots[name] = after;
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (before ?? after, after);
        }
    }
}
