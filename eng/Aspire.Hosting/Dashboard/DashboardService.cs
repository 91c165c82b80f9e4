using Aspire.Hosting.Dashboard.V1;
using Aspire.Hosting.Running;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Dashboard;

/// <summary>Answers the dashboard: which resources there are, what they print, and the commands on them.</summary>
internal sealed class DashboardService(
    ResourceStates states, ResourceLogs logs, Orchestrator orchestrator, IHostEnvironment environment, IHostApplicationLifetime lifetime)
    : V1.DashboardService.DashboardServiceBase
{
    public override Task<ApplicationInformationResponse> GetApplicationInformation(
        ApplicationInformationRequest request, ServerCallContext context)
    {
        var name = environment.ApplicationName;
        return Task.FromResult(new ApplicationInformationResponse { ApplicationName = name == "AppHost" ? "Lifecycle" : name });
    }

    public override Task WatchResources(
        WatchResourcesRequest request, IServerStreamWriter<WatchResourcesUpdate> responseStream, ServerCallContext context) =>
        UntilLeftAsync(context, async cancellationToken =>
        {
            var snapshots = states.All;
            var version = snapshots.Select(s => s.Version).DefaultIfEmpty().Max();
            var initial = new InitialResourceData { Resources = { snapshots.Select(ResourceMapping.Map) } };
            initial.ResourceTypes.AddRange(
                snapshots.Select(s => s.Type).Distinct().Select(t => new ResourceType { UniqueName = t, DisplayName = t }));
            await responseStream.WriteAsync(new WatchResourcesUpdate { InitialData = initial }, cancellationToken);

            while (true)
            {
                var changed = await states.ChangedSinceAsync(version, cancellationToken);
                version = changed[^1].Version;
                var changes = new WatchResourcesChanges();
                changes.Value.AddRange(changed.Select(s => new WatchResourcesChange { Upsert = ResourceMapping.Map(s) }));
                await responseStream.WriteAsync(new WatchResourcesUpdate { Changes = changes }, cancellationToken);
            }
        });

    public override Task WatchResourceConsoleLogs(
        WatchResourceConsoleLogsRequest request, IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream,
        ServerCallContext context) =>
        UntilLeftAsync(context, async cancellationToken =>
        {
            for (var last = 0; ;)
            {
                var lines = request.SuppressFollow
                    ? logs.Read(request.ResourceName)
                    : await logs.ReadAsync(request.ResourceName, last, cancellationToken);
                foreach (var chunk in lines.Chunk(500))
                {
                    var update = new WatchResourceConsoleLogsUpdate();
                    update.LogLines.AddRange(
                        chunk.Select(l => new ConsoleLogLine { Text = l.Text, IsStdErr = l.IsError, LineNumber = l.Number }));
                    await responseStream.WriteAsync(update, cancellationToken);
                }

                if (request.SuppressFollow) return;
                last = lines[^1].Number;
            }
        });

    public override Task WatchInteractions(
        IAsyncStreamReader<WatchInteractionsRequestUpdate> requestStream,
        IServerStreamWriter<WatchInteractionsResponseUpdate> responseStream,
        ServerCallContext context) =>
        UntilLeftAsync(context, cancellationToken => Task.Delay(Timeout.Infinite, cancellationToken));

    public override async Task<ResourceCommandResponse> ExecuteResourceCommand(ResourceCommandRequest request, ServerCallContext context)
    {
        var failure = await orchestrator.ExecuteAsync(request.ResourceName, request.CommandName, lifetime.ApplicationStopping);
        return failure is null
            ? new ResourceCommandResponse { Kind = ResourceCommandResponseKind.Succeeded }
            : new ResourceCommandResponse { Kind = ResourceCommandResponseKind.Failed, Message = failure };
    }

    /// <summary>Runs a call that ends only when its caller leaves or the application stops.</summary>
    private async Task UntilLeftAsync(ServerCallContext context, Func<CancellationToken, Task> call)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await call(left.Token);
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            // The expected end.
        }
    }
}
