namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint that a resource listens on, and where others find it.</summary>
/// <param name="name">Unique in the resource.</param>
/// <param name="uriScheme">http, tcp and the like: the first part of the endpoint's URL.</param>
/// <param name="port">The port that others use; null: any.</param>
/// <param name="targetPort">The port that the process listens on; null: the same as <paramref name="port"/>, or any.</param>
/// <param name="environmentVariable">The variable that tells the process where to listen.</param>
/// <param name="isProxied">Whether a proxy may stand between <paramref name="port"/> and <paramref name="targetPort"/>.</param>
public sealed class EndpointAnnotation(
    string name, string uriScheme, int? port, int? targetPort, string? environmentVariable, bool isProxied) : IResourceAnnotation
{
    public string Name { get; } = name;

    public string UriScheme { get; } = uriScheme;

    public int? Port { get; } = port;

    public int? TargetPort { get; } = targetPort;

    public bool IsProxied { get; } = isProxied;

    /// <summary>Whether the endpoint is meant for callers outside the application.</summary>
    public bool IsExternal { get; set; }

    internal string? EnvironmentVariable { get; } = environmentVariable;

    /// <summary>Set once, before anything starts.</summary>
    internal AllocatedEndpoint? Allocated { get; set; }
}

/// <param name="Host">The name or address that callers use.</param>
/// <param name="Port">The port that callers use.</param>
/// <param name="TargetPorts">The port of each replica's process.</param>
/// <param name="NeedsProxy">Whether the orchestrator passes connections on from the one to the others.</param>
internal sealed record AllocatedEndpoint(string Host, int Port, IReadOnlyList<int> TargetPorts, bool NeedsProxy);

internal enum WaitType
{
    UntilHealthy,
    UntilStarted,
    UntilCompleted,
}

internal sealed record WaitAnnotation(IResource Resource, WaitType Type, int ExitCode) : IResourceAnnotation;

/// <summary>A variable's name with its value: text, or an <see cref="IValueProvider"/>.</summary>
internal sealed record EnvironmentAnnotation(string Name, object? Value) : IResourceAnnotation;

/// <summary>An argument: text, or an <see cref="IValueProvider"/>.</summary>
internal sealed record ArgumentAnnotation(object Value) : IResourceAnnotation;

internal sealed record HealthCheckAnnotation(string Key) : IResourceAnnotation;

internal sealed record ReplicaAnnotation(int Replicas) : IResourceAnnotation;

internal sealed record RelationshipAnnotation(IResource Resource, string Type) : IResourceAnnotation;

internal sealed record ContainerImageAnnotation(string Image, string Tag) : IResourceAnnotation;

internal sealed record ContainerVolumeAnnotation(string Name, string Target) : IResourceAnnotation;
