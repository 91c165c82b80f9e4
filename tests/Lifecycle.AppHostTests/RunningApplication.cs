using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Lifecycle.AppHostTests;

/// <summary>A small application under the real orchestrator, seen through the resource service as the dashboard sees it.</summary>
internal sealed class RunningApplication : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly CancellationTokenSource _stop = new();
    private readonly DistributedApplication _application;
    private readonly GrpcChannel _channel;

    private RunningApplication(DistributedApplication application)
    {
        _application = application;
        var options = application.Services.GetRequiredService<Aspire.Hosting.Running.RunOptions>();
        Dashboard = options.Dashboard;
        Otlp = options.OtlpHttp;
        _channel = GrpcChannel.ForAddress($"http://{options.ResourceService}");
        Resources = new DashboardService.DashboardServiceClient(_channel);
        Run = application.RunAsync(_stop.Token);
    }

    public DashboardService.DashboardServiceClient Resources { get; }

    public Uri? Dashboard { get; }

    public Uri Otlp { get; }

    /// <summary>Ends with the application.</summary>
    public Task Run { get; }

    public string? Failure => _application.Orchestrator.Failure;

    public static RunningApplication Start(Action<IDistributedApplicationBuilder> declare, bool dashboard = false, int timeoutSeconds = 60)
    {
        var builder = new DistributedApplicationBuilder(
            [
                "--ASPNETCORE_URLS=http://localhost:0",
                "--ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL=http://localhost:0",
                "--ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL=http://localhost:0",
                "--ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL=http://localhost:0",
                $"--ASPIRE_DASHBOARD_ENABLED={(dashboard ? "true" : "false")}",
                $"--Start:TimeoutSeconds={timeoutSeconds}",
            ],
            Path.GetTempPath(),
            Repository.Layout);
        declare(builder);
        return new RunningApplication(builder.Build());
    }

    public Task ReadyAsync() => _application.Orchestrator.Ready.WaitAsync(Patience);

    /// <summary>Waits until the application has ended by itself.</summary>
    public Task EndAsync() => Run.WaitAsync(Patience);

    /// <summary>Watches the resources until those named <paramref name="name"/> satisfy the condition.</summary>
    public async Task<Aspire.Hosting.Dashboard.V1.Resource> ResourceAsync(
        string name, Func<Aspire.Hosting.Dashboard.V1.Resource, bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var watch = Resources.WatchResources(new WatchResourcesRequest(), cancellationToken: limit.Token);
        await foreach (var update in watch.ResponseStream.ReadAllAsync(limit.Token))
        {
            var news = update.InitialData?.Resources ?? update.Changes.Value.Select(c => c.Upsert);
            if (news.FirstOrDefault(r => r.DisplayName == name && condition(r)) is { } found) return found;
        }

        throw new InvalidOperationException("The watch ended.");
    }

    public async Task<ResourceCommandResponse> CommandAsync(Aspire.Hosting.Dashboard.V1.Resource resource, string command) =>
        await Resources.ExecuteResourceCommandAsync(
            new ResourceCommandRequest { ResourceName = resource.Name, ResourceType = resource.ResourceType, CommandName = command },
            deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Patience);

    /// <summary>Reads a resource's console until a line contains the text.</summary>
    public async Task<ConsoleLogLine> LineAsync(string resourceName, string text)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var watch = Resources.WatchResourceConsoleLogs(
            new WatchResourceConsoleLogsRequest { ResourceName = resourceName }, cancellationToken: limit.Token);
        await foreach (var update in watch.ResponseStream.ReadAllAsync(limit.Token))
        {
            if (update.LogLines.FirstOrDefault(l => l.Text.Contains(text, StringComparison.Ordinal)) is { } line) return line;
        }

        throw new InvalidOperationException("The watch ended.");
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Run.WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _channel.Dispose();
        _stop.Dispose();
        // The failures under test are not the test run's.
        Environment.ExitCode = 0;
    }
}

/// <summary>Shorthand for the resources of these tests.</summary>
internal static class Scripts
{
    /// <summary>Says so once it can be told to stop.</summary>
    public const string Forever = "trap 'echo stopping; exit 0' TERM; echo waiting; while :; do sleep 0.05; done";

    public static IResourceBuilder<ExecutableResource> AddScript(this IDistributedApplicationBuilder builder, string name, string script) =>
        builder.AddExecutable(name, "/bin/bash", ".", "-c", script);
}
