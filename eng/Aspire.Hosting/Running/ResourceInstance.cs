using System.Globalization;
using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Running;

/// <summary>What the orchestrator is asked to start.</summary>
internal sealed record LaunchSpec(
    string Path, IReadOnlyList<string> Arguments, string WorkingDirectory, IReadOnlyList<KeyValuePair<string, string>> Environment);

/// <summary>One process of a resource. Its name, <c>RESOURCE-SUFFIX</c>, links it to the telemetry that it sends.</summary>
internal sealed record ResourceInstance(IResource Resource, int Replica, string Suffix)
{
    public string Name => $"{Resource.Name}-{Suffix}";

    public string Type => Resource switch
    {
        ProjectResource => "Project",
        ContainerResource => "Container",
        _ => "Executable",
    };

    public IEnumerable<EndpointReference> Endpoints =>
        Resource.Annotations.OfType<EndpointAnnotation>().Select(e => new EndpointReference((IResourceWithEndpoints)Resource, e.Name));

    /// <summary>The resources that this one waits for, and how.</summary>
    public IEnumerable<WaitAnnotation> Waits => Resource.Annotations.OfType<WaitAnnotation>();

    /// <exception cref="DistributedApplicationException">A parameter has no value, or the project is not built.</exception>
    public async Task<LaunchSpec> LaunchAsync(Uri otlp, CancellationToken cancellationToken)
    {
        var environment = await EnvironmentAsync(otlp, cancellationToken);
        var arguments = new List<string>();
        foreach (var argument in Resource.Annotations.OfType<ArgumentAnnotation>())
            arguments.Add(await TextAsync(argument.Value, cancellationToken));

        return Resource switch
        {
            ExecutableResource executable => new LaunchSpec(executable.Command, arguments, executable.WorkingDirectory, environment),
            ProjectResource => Project(arguments, environment),
            _ => Container(arguments, environment),
        };
    }

    private LaunchSpec Project(List<string> arguments, List<KeyValuePair<string, string>> environment)
    {
        var metadata = Resource.Annotations.OfType<IProjectMetadata>().Single();
        var executable = Path.ChangeExtension(metadata.TargetPath, null);
        if (!File.Exists(executable))
            throw new DistributedApplicationException(
                $"The project of '{Resource.Name}' is not built: {executable} does not exist; run dotnet build.");
        // The runtime of this very process: it need not be installed where executables look by themselves.
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        environment.Add(new("DOTNET_ROOT", root));
        return new LaunchSpec(executable, arguments, Path.GetDirectoryName(metadata.ProjectPath)!, environment);
    }

    /// <summary>The container engine's client as a process in the foreground; it hands signals and output through.</summary>
    private LaunchSpec Container(List<string> arguments, List<KeyValuePair<string, string>> environment)
    {
        var image = Resource.Annotations.OfType<ContainerImageAnnotation>().Last();
        List<string> run = ["run", "--rm", "--name", $"lifecycle-{Name}"];
        foreach (var endpoint in Endpoints)
            run.AddRange(["--publish", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{endpoint.Port}:{endpoint.TargetPort}")]);
        foreach (var volume in Resource.Annotations.OfType<ContainerVolumeAnnotation>())
            run.AddRange(["--volume", $"{volume.Name}:{volume.Target}"]);
        // By name only: a value on the command line could be read by every user of the machine.
        foreach (var (name, _) in environment)
            run.AddRange(["--env", name]);
        return new LaunchSpec("docker", [.. run, $"{image.Image}:{image.Tag}", .. arguments], Path.GetTempPath(), environment);
    }

    private async Task<List<KeyValuePair<string, string>>> EnvironmentAsync(Uri otlp, CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, string>();
        if (Resource is ProjectResource)
        {
            variables["OTEL_SERVICE_NAME"] = Resource.Name;
            variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={Suffix}";
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = otlp.GetLeftPart(UriPartial.Authority);
            variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
            variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
            variables["OTEL_TRACES_SAMPLER"] = "always_on";
            // A developer looks at the dashboard while the request runs.
            variables["OTEL_BSP_SCHEDULE_DELAY"] = "1000";
            variables["OTEL_BLRP_SCHEDULE_DELAY"] = "1000";
            variables["OTEL_METRIC_EXPORT_INTERVAL"] = "5000";
        }

        foreach (var endpoint in Resource.Annotations.OfType<EndpointAnnotation>())
        {
            if (endpoint.EnvironmentVariable is { } name && endpoint.Allocated is { } allocated)
                variables[name] = allocated.TargetPorts[Replica].ToString(CultureInfo.InvariantCulture);
        }

        foreach (var variable in Resource.Annotations.OfType<EnvironmentAnnotation>())
            variables[variable.Name] = await TextAsync(variable.Value, cancellationToken);
        return [.. variables];
    }

    private static async ValueTask<string> TextAsync(object? value, CancellationToken cancellationToken) =>
        (value is IValueProvider provider ? await provider.GetValueAsync(cancellationToken) : value?.ToString()) ?? "";
}
