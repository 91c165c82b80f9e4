using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Dcp;
using Aspire.Hosting.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private readonly WebApplicationBuilder _host;

    public DistributedApplicationBuilder(string[] args, string appHostDirectory, string layoutPath, string? userSecretsId = null)
    {
        AppHostDirectory = appHostDirectory;
        _host = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = appHostDirectory,
            EnvironmentName = System.Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? "Development",
        });
        _host.Configuration["ASPIRE_LAYOUT_PATH"] ??= layoutPath;
        _host.Configuration["UserSecretsId"] ??= userSecretsId;
        _host.Logging.SetMinimumLevel(LogLevel.Warning);
        _host.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Error);
        // A failing health check is reported where the resource is shown.
        _host.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        _host.Services.AddHealthChecks();
    }

    public ConfigurationManager Configuration => _host.Configuration;

    public string AppHostDirectory { get; }

    public IHostEnvironment Environment => _host.Environment;

    public IServiceCollection Services => _host.Services;

    public IList<IResource> Resources { get; } = [];

    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
    {
        if (Resources.Any(r => string.Equals(r.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
            throw new DistributedApplicationException($"Two resources are named '{resource.Name}'.");
        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build()
    {
        var options = RunOptions.Read(Configuration);
        var plan = Plan.Make(Resources, options.Ports);
        Services.AddSingleton(TimeProvider.System);
        Services.AddSingleton(options);
        Services.AddSingleton(plan);
        Services.AddSingleton<ResourceStates>();
        Services.AddSingleton<ResourceLogs>();
        Services.AddSingleton<DcpProcess>();
        Services.AddSingleton<Orchestrator>();
        Services.AddHostedService(services => services.GetRequiredService<Orchestrator>());
        Services.AddGrpc();
        Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        _host.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(options.ResourceService, listen => listen.Protocols = HttpProtocols.Http2));

        var host = _host.Build();
        host.MapGrpcService<DashboardService>();
        return new DistributedApplication(host, plan);
    }

    internal static DistributedApplicationBuilder ForEntryAssembly(string[] args)
    {
        // What is wrong with a declaration or a setting is said in its own words, without a stack trace.
        AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
        {
            if (unhandled.ExceptionObject is not DistributedApplicationException exception) return;
            Console.Error.WriteLine(exception.Message);
            System.Environment.Exit(1);
        };
        var metadata = (Assembly.GetEntryAssembly()?.GetCustomAttributes<AssemblyMetadataAttribute>() ?? [])
            .ToLookup(a => a.Key, a => a.Value);
        var directory = metadata["AppHostProjectPath"].FirstOrDefault() ?? Directory.GetCurrentDirectory();
        var layout = metadata["AspireLayoutPath"].FirstOrDefault() ?? Path.Combine(directory, ".tools", "aspire");
        return new DistributedApplicationBuilder(args, directory, layout, metadata["UserSecretsId"].FirstOrDefault());
    }
}
