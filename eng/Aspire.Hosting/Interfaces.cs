using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>What an AppHost's Program.cs declares its application on.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>appsettings.json, environment variables and the command line.</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>The folder of the AppHost's project file.</summary>
    string AppHostDirectory { get; }

    IHostEnvironment Environment { get; }

    /// <summary>The AppHost's own services, health checks among them.</summary>
    IServiceCollection Services { get; }

    IList<IResource> Resources { get; }

    /// <exception cref="DistributedApplicationException">Another resource has the same name.</exception>
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;

    IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource;

    DistributedApplication Build();
}

/// <summary>A resource that others find by its name, through <c>services__NAME__ENDPOINT__0</c>.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

/// <summary>What the build knows of a referenced project; the AppHost's build generates one class per project.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    /// <summary>The project file.</summary>
    string ProjectPath { get; }

    /// <summary>The assembly that the build makes of it.</summary>
    string TargetPath { get; }
}

/// <summary>The application cannot be built or started as declared.</summary>
public class DistributedApplicationException : Exception
{
    public DistributedApplicationException()
    {
    }

    public DistributedApplicationException(string message) : base(message)
    {
    }

    public DistributedApplicationException(string message, Exception inner) : base(message, inner)
    {
    }
}

/// <summary>A parameter has neither a value nor a default.</summary>
public sealed class MissingParameterValueException(string message) : DistributedApplicationException(message);
