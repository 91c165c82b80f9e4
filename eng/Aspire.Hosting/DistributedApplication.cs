using System.Text.Json;
using Aspire.Hosting.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>
/// A distributed application ready to run: processes under the Aspire orchestrator (DCP), shown on the Aspire dashboard.
/// </summary>
public sealed class DistributedApplication : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly WebApplication _host;
    private readonly Plan _plan;

    internal DistributedApplication(WebApplication host, Plan plan)
    {
        _host = host;
        _plan = plan;
        Orchestrator = host.Services.GetRequiredService<Orchestrator>();
    }

    public IServiceProvider Services => _host.Services;

    internal Orchestrator Orchestrator { get; }

    /// <param name="args">The command line; it overrides configuration.</param>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => DistributedApplicationBuilder.ForEntryAssembly(args);

    /// <summary>Runs until SIGINT, SIGTERM or a failure, which sets the process's exit code.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (_host.Configuration["operation"] == "describe")
        {
            Console.WriteLine(JsonSerializer.Serialize(await _plan.DescribeAsync(cancellationToken), Indented));
            return;
        }

        try
        {
            await _host.StartAsync(cancellationToken);
            await _host.WaitForShutdownAsync(cancellationToken);
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"{exception.Message} Is the application running already?");
            Environment.ExitCode = 1;
        }
        finally
        {
            if (Orchestrator.Failure is not null) Environment.ExitCode = 1;
            await DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
