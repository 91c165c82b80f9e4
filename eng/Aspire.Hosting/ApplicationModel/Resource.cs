namespace Aspire.Hosting.ApplicationModel;

/// <summary>One part of a distributed application: a process, a container, a parameter, a connection string.</summary>
public interface IResource
{
    /// <summary>Unique in the application; lower-case letters, digits and hyphens by custom.</summary>
    string Name { get; }

    /// <summary>Everything declared about the resource besides its kind.</summary>
    IList<IResourceAnnotation> Annotations { get; }
}

/// <summary>A fact declared about a resource.</summary>
public interface IResourceAnnotation;

/// <summary>A value that may depend on what the application's start decides, such as a port.</summary>
public interface IValueProvider
{
    /// <summary>The value, once it is known; null when there is none.</summary>
    ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);
}

/// <summary>A resource that takes environment variables.</summary>
public interface IResourceWithEnvironment : IResource;

/// <summary>A resource that takes command-line arguments.</summary>
public interface IResourceWithArgs : IResource;

/// <summary>A resource that listens on endpoints.</summary>
public interface IResourceWithEndpoints : IResource;

/// <summary>A resource whose start can wait for others.</summary>
public interface IResourceWithWaitSupport : IResource;

/// <summary>A resource that others reach by a connection string.</summary>
public interface IResourceWithConnectionString : IResource, IValueProvider
{
    /// <summary>How the connection string is composed.</summary>
    ReferenceExpression ConnectionStringExpression { get; }

    ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) =>
        ConnectionStringExpression.GetValueAsync(cancellationToken);
}

/// <summary>The common part of all resources.</summary>
public abstract class Resource : IResource
{
    /// <param name="name">The resource's name: letters, digits and hyphens, 64 at most.</param>
    /// <exception cref="ArgumentException">The name has another form.</exception>
    protected Resource(string name)
    {
        if (name is not { Length: > 0 and <= 64 } || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            throw new ArgumentException($"'{name}' is no resource name: it takes letters, digits and hyphens, 64 at most.", nameof(name));
        Name = name;
    }

    public string Name { get; }

    public IList<IResourceAnnotation> Annotations { get; } = [];

    public override string ToString() => Name;
}

/// <summary>A resource that runs a given executable file.</summary>
public class ExecutableResource(string name, string command, string workingDirectory)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport
{
    /// <summary>A path, or a name that is looked up in PATH.</summary>
    public string Command { get; } = command;

    /// <summary>An absolute path.</summary>
    public string WorkingDirectory { get; } = workingDirectory;
}

/// <summary>A resource that runs a built .NET project, in one process or several.</summary>
public class ProjectResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport;

/// <summary>A resource that runs a container image.</summary>
public class ContainerResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport;
