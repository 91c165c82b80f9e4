using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dcp;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Running;

/// <summary>A resource cannot start; the message names it and says why.</summary>
internal sealed class ResourceFailedException(string message) : Exception(message);

/// <summary>
/// One process through its life: waits for what it depends on, is started by DCP, watched, checked, stopped and started again.
/// </summary>
internal sealed class InstanceRunner(
    ResourceInstance instance, RunOptions options, ResourceStates states, ResourceLogs logs, HealthCheckService checks, DcpClient dcp,
    Progress progress, TimeProvider time, CancellationToken stopping) : IDisposable
{
    private static readonly TimeSpan Eager = TimeSpan.FromMilliseconds(200), Relaxed = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly string[] _checks = [.. instance.Resource.Annotations.OfType<HealthCheckAnnotation>().Select(h => h.Key).Distinct()];
    private CancellationTokenSource _run = new();
    private Task? _reading;
    private int _starts;
    private volatile bool _stopRequested;

    public ResourceInstance Instance => instance;

    /// <summary>The process's present name at DCP; every start has another, so that news of an earlier one cannot be mistaken.</summary>
    public string DcpName => $"{instance.Name}-{_starts}";

    /// <summary>Whether the last end of the process was asked for.</summary>
    public bool StopRequested => _stopRequested;

    public void Dispose()
    {
        _run.Dispose();
        _turn.Dispose();
    }

    /// <exception cref="ResourceFailedException">Something it waits for has failed, or it cannot be started as declared.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await StartCoreAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await StopCoreAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await StopCoreAsync(cancellationToken);
            await StartCoreAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes DCP's news of the process.</summary>
    public void Report(DcpExecutable news)
    {
        var (before, after) = states.Update(instance.Name, snapshot => news.State switch
        {
            "Running" when snapshot.State is ResourceState.Starting or ResourceState.Running => snapshot with
            {
                State = ResourceState.Running,
                ProcessId = news.ProcessId,
                StartedAt = snapshot.StartedAt ?? time.GetUtcNow(),
            },
            "Stopping" => snapshot with { State = ResourceState.Stopping },
            "FailedToStart" => snapshot with { State = ResourceState.FailedToStart, StoppedAt = snapshot.StoppedAt ?? time.GetUtcNow() },
            "Finished" or "Terminated" => snapshot with
            {
                State = news.ExitCode == 0 ? ResourceState.Finished : ResourceState.Exited,
                ExitCode = news.ExitCode,
                StoppedAt = snapshot.StoppedAt ?? time.GetUtcNow(),
                ProcessId = null,
                Health = [],
            },
            _ => snapshot,
        });
        if (before.State == after.State) return;
        progress.State(after);
        if (after.State == ResourceState.Running) _ = CheckAsync(_run.Token);
        if (after.HasEnded) _run.Cancel();
        if (_reading is null && (after.State == ResourceState.Running || after.HasEnded)) _reading = ReadAsync(DcpName, after.State);
    }

    /// <summary>The last lines of output, once they have arrived.</summary>
    public async Task<IReadOnlyList<string>> LastLinesAsync(int count)
    {
        await Task.WhenAny(_reading ?? Task.CompletedTask, Task.Delay(TimeSpan.FromSeconds(2), time));
        return [.. logs.Read(instance.Name).TakeLast(count).OrderBy(l => l.Time, StringComparer.Ordinal).Select(l => l.Message)];
    }

    private async Task StartCoreAsync(CancellationToken cancellationToken)
    {
        var current = states.Get(instance.Name);
        if (!current.CanStart) return;
        _stopRequested = false;
        states.Update(
            instance.Name,
            s => s with { State = ResourceState.Waiting, ExitCode = null, StartedAt = null, StoppedAt = null, Health = [] });
        foreach (var wait in instance.Waits) await WaitAsync(wait, cancellationToken);

        LaunchSpec launch;
        try
        {
            launch = await instance.LaunchAsync(options.OtlpGrpc, cancellationToken);
        }
        catch (DistributedApplicationException exception)
        {
            states.Update(instance.Name, s => s with { State = ResourceState.FailedToStart, StoppedAt = time.GetUtcNow() });
            throw new ResourceFailedException($"'{instance.Resource.Name}' cannot start: {exception.Message}");
        }

        var earlier = DcpName;
        if (_starts++ > 0) await dcp.DeleteExecutableAsync(earlier, cancellationToken);
        _run.Dispose();
        _run = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _reading = null;
        states.Update(instance.Name, s => s with
        {
            State = ResourceState.Starting,
            Launch = launch,
            Health = [.. _checks.Select(key => new HealthReport(key, null, null, null))],
        });
        var producers = instance.Resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.Allocated!.NeedsProxy)
            .Select(e => new DcpProducer($"{instance.Resource.Name}-{e.Name}", e.Allocated!.TargetPorts[instance.Replica]));
        await dcp.CreateExecutableAsync(DcpName, launch, [.. producers], cancellationToken);
    }

    private async Task StopCoreAsync(CancellationToken cancellationToken)
    {
        var current = states.Get(instance.Name);
        if (current.HasEnded || _starts == 0) return;
        _stopRequested = true;
        states.Update(instance.Name, s => s.HasEnded ? s : s with { State = ResourceState.Stopping });
        await dcp.StopExecutableAsync(DcpName, cancellationToken);
        await states.WaitAsync(instance.Resource, all => all.Single(s => s.Name == instance.Name).HasEnded, cancellationToken);
    }

    private async Task WaitAsync(WaitAnnotation wait, CancellationToken cancellationToken)
    {
        var dependency = wait.Resource is PostgresDatabaseResource database ? database.Parent : wait.Resource;
        if (dependency is not (ExecutableResource or ProjectResource or ContainerResource)) return;

        bool IsMet(ResourceSnapshot s) => wait.Type switch
        {
            WaitType.UntilHealthy => s.IsHealthy,
            WaitType.UntilStarted => s.State == ResourceState.Running,
            _ => s.HasEnded && s.ExitCode == wait.ExitCode,
        };
        var found = await states.WaitAsync(dependency, all => all.All(IsMet) || all.Any(s => s.HasEnded && !IsMet(s)), cancellationToken);
        if (found.FirstOrDefault(s => !IsMet(s)) is { } failed)
        {
            states.Update(instance.Name, s => s with { State = ResourceState.FailedToStart, StoppedAt = time.GetUtcNow() });
            var how = failed.ExitCode is { } code ? $"ended with {code}" : "failed to start";
            throw new ResourceFailedException($"'{instance.Resource.Name}' cannot start: '{dependency.Name}', which it waits for, {how}");
        }
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (_checks.Length == 0) return;
        try
        {
            while (true)
            {
                var result = await checks.CheckHealthAsync(registration => _checks.Contains(registration.Name), cancellationToken);
                var now = time.GetUtcNow();
                HealthReport[] reports = [.. result.Entries.Select(e => new HealthReport(
                    e.Key, e.Value.Status, e.Value.Description ?? e.Value.Exception?.Message, now))];
                var (before, after) = states.Update(instance.Name, s => s.State == ResourceState.Running ? s with { Health = reports } : s);
                if (after.IsHealthy != before.IsHealthy) progress.Health(after);
                await Task.Delay(after.IsHealthy ? Relaxed : Eager, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process ended, or everything does.
        }
    }

    private async Task ReadAsync(string dcpName, string state)
    {
        if (state == ResourceState.FailedToStart)
        {
            await ReadAsync(dcpName, "system", isError: true);
            return;
        }

        await Task.WhenAll(ReadAsync(dcpName, "stdout", isError: false), ReadAsync(dcpName, "stderr", isError: true));
    }

    private async Task ReadAsync(string dcpName, string source, bool isError)
    {
        var taken = 0;
        try
        {
            await foreach (var line in dcp.LogAsync(dcpName, source, follow: source != "system", CancellationToken.None)) Take(line);
        }
        catch (IOException)
        {
            // DCP breaks the connection off when a process is killed: the rest is read without waiting for more.
            await ReadRestAsync();
        }
        catch (HttpRequestException)
        {
            // DCP has ended, and everything with it.
        }

        void Take(string line)
        {
            taken++;
            logs.Append(instance.Name, line, isError);
            progress.Output(instance.Resource.Name, line, isError);
        }

        async Task ReadRestAsync()
        {
            try
            {
                var skip = taken;
                await foreach (var line in dcp.LogAsync(dcpName, source, follow: false, CancellationToken.None))
                {
                    if (skip-- <= 0) Take(line);
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                // DCP has ended, and everything with it.
            }
        }
    }
}
