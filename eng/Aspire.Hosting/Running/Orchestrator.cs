using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Dcp;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Running;

/// <summary>Starts everything in the order of the waits, keeps watch, and stops everything in the reverse order.</summary>
internal sealed class Orchestrator(
    Plan plan, RunOptions options, ResourceStates states, ResourceLogs logs, DcpProcess dcpProcess, HealthCheckService checks,
    IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    private const int ShownLines = 15;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(15), EndPatience = TimeSpan.FromSeconds(2);
    private readonly Progress _progress = new(Console.Out, Console.Error, options.StreamLogs);
    private readonly Dictionary<string, InstanceRunner> _runners = [];
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _watching = new();
    private Task _watch = Task.CompletedTask;

    /// <summary>Why the application ended by itself; null: it did not.</summary>
    public string? Failure { get; private set; }

    /// <summary>Ends when every resource is ready; fails when one cannot be.</summary>
    public Task Ready => _ready.Task;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            using var patience = new CancellationTokenSource(StopPatience, time);
            await StopInOrderAsync(patience.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException)
        {
            var late = states.All.Where(s => s.ProcessId is not null && !s.HasEnded).Select(s => $"'{s.DisplayName}'");
            _progress.Failure($"{string.Join(", ", late)} did not stop in time and is ended by force.");
        }

        await _watching.CancelAsync();
        await dcpProcess.StopAsync(EndPatience);
        await _watch;
        foreach (var runner in _runners.Values) runner.Dispose();
        _watching.Dispose();
        _progress.Line("Everything is stopped.");
    }

    /// <summary>Carries out a command of the dashboard.</summary>
    /// <returns>Null, or why it failed.</returns>
    public async Task<string?> ExecuteAsync(string resource, string command, CancellationToken cancellationToken)
    {
        if (!_runners.TryGetValue(resource, out var runner)) return $"There is no process '{resource}'.";
        var current = states.Get(resource);
        if (command == ResourceMapping.Start && !current.CanStart) return $"'{resource}' cannot be started now: it is {current.State}.";
        try
        {
            await (command switch
            {
                ResourceMapping.Start => runner.StartAsync(cancellationToken),
                ResourceMapping.Stop => runner.StopAsync(cancellationToken),
                ResourceMapping.Restart => runner.RestartAsync(cancellationToken),
                _ => Task.FromException(new ResourceFailedException($"There is no command '{command}'.")),
            });
            return null;
        }
        catch (Exception exception) when (exception is ResourceFailedException or HttpRequestException or OperationCanceledException)
        {
            return exception.Message;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        deadline.CancelAfter(options.StartTimeout);
        try
        {
            await HostStartedAsync(deadline.Token);
            plan.CheckPorts(options);
            await ShowAsync(stoppingToken);
            await StartAsync(await dcpProcess.StartAsync(deadline.Token), deadline.Token, stoppingToken);
            _progress.Plain("ready " + JsonSerializer.Serialize(Summary(), JsonSerializerOptions.Web));
            _ready.TrySetResult();
            await dcpProcess.Ended.WaitAsync(stoppingToken);
            Fail("The Aspire orchestrator ended unexpectedly.");
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            _ready.TrySetCanceled(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            var late = states.All.Where(s => !IsReady(s)).Select(s => $"  {s.DisplayName}: {s.Condition}");
            Fail($"Not everything became ready within {options.StartTimeout.TotalSeconds:0} s:\n{string.Join('\n', late)}");
        }
        catch (Exception exception) when (exception is DistributedApplicationException or ResourceFailedException or HttpRequestException)
        {
            Fail(exception.Message);
        }
    }

    private async Task StartAsync(DcpClient dcp, CancellationToken deadline, CancellationToken stopping)
    {
        _progress.Line("The orchestrator is up.");
        foreach (var endpoint in plan.Resources.SelectMany(r => r.Annotations.OfType<EndpointAnnotation>().Select(e => (r, e)))
            .Where(x => x.e.Allocated!.NeedsProxy))
            await dcp.CreateServiceAsync($"{endpoint.r.Name}-{endpoint.e.Name}", endpoint.e.Allocated!.Port, deadline);

        InstanceRunner Runner(ResourceInstance i) => new(i, options, states, logs, checks, dcp, _progress, time, stopping);
        foreach (var instance in plan.Instances) _runners.Add(instance.Name, Runner(instance));
        _watch = WatchAsync(dcp, _watching.Token);
        if (options.Dashboard is { } dashboard)
        {
            var launch = DashboardProcess.Launch(options, dashboard, dcpProcess.SessionFolder);
            await dcp.CreateExecutableAsync(DashboardProcess.Name, launch, [], deadline);
        }

        await Task.WhenAny(Task.WhenAll(_runners.Values.Select(r => StartOneAsync(r, deadline))), _failed.Task);

        while (!_failed.Task.IsCompleted)
        {
            var all = states.All;
            if (all.All(IsReady)) break;
            var version = all.Max(s => s.Version);
            await Task.WhenAny(states.ChangedSinceAsync(version, deadline), _failed.Task);
            deadline.ThrowIfCancellationRequested();
        }

        if (options.Dashboard is { } page) await WaitForPageAsync(page, deadline);
        if (_failed.Task.IsCompleted) throw new ResourceFailedException(await _failed.Task);
    }

    private async Task StartOneAsync(InstanceRunner runner, CancellationToken cancellationToken)
    {
        try
        {
            await runner.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is ResourceFailedException or HttpRequestException)
        {
            // What another resource's end caused is told by that end itself, with its last lines.
            await Task.WhenAny(_failed.Task, Task.Delay(TimeSpan.FromSeconds(3), time, cancellationToken));
            _failed.TrySetResult(exception.Message);
        }
        catch (OperationCanceledException)
        {
            // Stopped, or late: whoever waits for everything reports it.
        }
    }

    private async Task WatchAsync(DcpClient dcp, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var news in dcp.WatchAsync(cancellationToken))
                {
                    if (news.Name == DashboardProcess.Name) await WatchDashboardAsync(dcp, news, cancellationToken);
                    else if (_runners.Values.FirstOrDefault(r => r.DcpName == news.Name) is { } runner) await ReportAsync(runner, news);
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                // The connection is made again unless everything ends; DCP then repeats the state of every process.
                if (dcpProcess.Ended.IsCompleted) return;
            }
        }
    }

    private async Task ReportAsync(InstanceRunner runner, DcpExecutable news)
    {
        var before = states.Get(runner.Instance.Name);
        runner.Report(news);
        var after = states.Get(runner.Instance.Name);
        if (before.HasEnded || !after.HasEnded || runner.StopRequested || IsReady(after)) return;

        var how = after.ExitCode is { } code ? $"ended with {code}" : "could not be started";
        var lines = await runner.LastLinesAsync(ShownLines);
        var message = $"'{after.DisplayName}' {how}; {(lines.Count > 0 ? "its last lines:" : "it printed nothing.")}"
            + string.Concat(lines.Select(l => $"\n  {l}"));
        if (_ready.Task.IsCompleted)
            _progress.Failure($"{message}\nThe rest goes on; start '{after.DisplayName}' again from the dashboard.");
        else _failed.TrySetResult(message);
    }

    private async Task WatchDashboardAsync(DcpClient dcp, DcpExecutable news, CancellationToken cancellationToken)
    {
        if (news.State is not ("FailedToStart" or "Finished" or "Terminated")) return;
        var lines = new List<string>();
        foreach (var source in (string[])["stdout", "stderr"])
        {
            await foreach (var line in dcp.LogAsync(news.Name, source, follow: false, cancellationToken)) lines.Add(line);
        }

        var message = $"The dashboard ended with {news.ExitCode}." + string.Concat(lines.TakeLast(ShownLines).Select(l => $"\n  {l}"));
        if (_ready.Task.IsCompleted) _progress.Failure(message);
        else _failed.TrySetResult(message);
    }

    private async Task StopInOrderAsync(CancellationToken cancellationToken)
    {
        var left = _runners.Values.Where(r => !states.Get(r.Instance.Name).HasEnded).ToList();
        while (left.Count > 0)
        {
            var needed = left.SelectMany(r => r.Instance.Waits).Select(w => w.Resource).ToHashSet();
            var wave = left.Where(r => !needed.Contains(r.Instance.Resource)).ToArray();
            if (wave.Length == 0) wave = [.. left];
            await Task.WhenAll(wave.Select(r => r.StopAsync(cancellationToken)));
            left.RemoveAll(wave.Contains);
        }
    }

    private async Task ShowAsync(CancellationToken cancellationToken)
    {
        foreach (var resource in plan.Resources.Where(r =>
            r is ParameterResource or IResourceWithConnectionString and not ContainerResource))
        {
            var type = resource is ParameterResource ? "Parameter" : "ConnectionString";
            states.Add(new ResourceSnapshot(resource.Name, resource.Name, type, resource, time.GetUtcNow())
            {
                State = ResourceState.Running,
                Value = await ((IValueProvider)resource).GetValueAsync(cancellationToken),
            });
        }

        foreach (var instance in plan.Instances)
        {
            var parent = instance.Resource.Annotations.OfType<RelationshipAnnotation>().LastOrDefault(r => r.Type == "Parent")?.Resource;
            states.Add(new ResourceSnapshot(instance.Name, instance.Resource.Name, instance.Type, instance.Resource, time.GetUtcNow())
            {
                Endpoints = [.. instance.Endpoints],
                ParentName = plan.Instances.FirstOrDefault(i => ReferenceEquals(i.Resource, parent))?.Name,
            });
        }
    }

    private async Task HostStartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
    }

    private static async Task WaitForPageAsync(Uri page, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        while (true)
        {
            try
            {
                using var response = await http.GetAsync(page, cancellationToken);
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            }
        }
    }

    /// <summary>Whether nothing more is expected of the resource: it is healthy, or it ended as it should.</summary>
    private bool IsReady(ResourceSnapshot snapshot)
    {
        if (!snapshot.HasEnded) return snapshot.IsHealthy && !EndsByItself(snapshot.Resource);
        var waits = plan.Instances.SelectMany(i => i.Waits).Where(w => ReferenceEquals(w.Resource, snapshot.Resource)).ToArray();
        return waits.Length == 0
            ? snapshot.State == ResourceState.Finished
            : waits.All(w => w.Type == WaitType.UntilCompleted && w.ExitCode == snapshot.ExitCode);
    }

    private bool EndsByItself(IResource resource) =>
        plan.Instances.Any(i => i.Waits.Any(w => ReferenceEquals(w.Resource, resource) && w.Type == WaitType.UntilCompleted));

    private object Summary() => new
    {
        Seconds = Math.Round(_progress.Elapsed.TotalSeconds, 1),
        Dashboard = options.Dashboard?.GetLeftPart(UriPartial.Authority),
        ResourceService = $"http://{options.ResourceService}",
        Urls = plan.Resources.SelectMany(r => r.Annotations.OfType<EndpointAnnotation>().Select(e => (Resource: r, Endpoint: e)))
            .GroupBy(x => x.Resource.Name)
            .ToDictionary(g => g.Key, g => g.ToDictionary(
                x => x.Endpoint.Name, x => new EndpointReference((IResourceWithEndpoints)x.Resource, x.Endpoint.Name).Url)),
        Pids = states.All.Where(s => s.ProcessId is not null).ToDictionary(s => s.Name, s => s.ProcessId),
    };

    private void Fail(string message)
    {
        Failure = message;
        _progress.Failure(message);
        _ready.TrySetException(new DistributedApplicationException(message));
        lifetime.StopApplication();
    }
}
