using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.V1;
using Aspire.Hosting.Running;
using Google.Protobuf.WellKnownTypes;

namespace Aspire.Hosting.Dashboard;

/// <summary>A resource's snapshot in the dashboard's words.</summary>
internal static class ResourceMapping
{
    public const string Start = "start", Stop = "stop", Restart = "restart";

    public static V1.Resource Map(ResourceSnapshot snapshot)
    {
        var resource = new V1.Resource
        {
            Name = snapshot.Name,
            ResourceType = snapshot.Type,
            DisplayName = snapshot.DisplayName,
            Uid = snapshot.Name,
            State = snapshot.State,
            CreatedAt = Timestamp.FromDateTimeOffset(snapshot.CreatedAt),
            IsHidden = snapshot.IsHidden,
        };
        if (snapshot.StartedAt is { } started) resource.StartedAt = Timestamp.FromDateTimeOffset(started);
        if (snapshot.StoppedAt is { } stopped) resource.StoppedAt = Timestamp.FromDateTimeOffset(stopped);
        if (snapshot.State == ResourceState.FailedToStart) resource.StateStyle = "error";
        if (snapshot.Launch is { } launch)
        {
            resource.Environment.AddRange(launch.Environment.Select(v =>
                new EnvironmentVariable { Name = v.Key, Value = v.Value, IsFromSpec = true }));
        }

        resource.Properties.AddRange(Properties(snapshot));
        resource.Urls.AddRange(Urls(snapshot));
        resource.HealthReports.AddRange(snapshot.Health.Select(Map));
        resource.Relationships.AddRange(snapshot.Resource.Annotations.OfType<RelationshipAnnotation>().Distinct()
            .Select(r => new ResourceRelationship { ResourceName = r.Resource.Name, Type = r.Type }));
        if (snapshot.Type is "Project" or "Executable" or "Container") resource.Commands.AddRange(Commands(snapshot));
        return resource;
    }

    private static IEnumerable<ResourceProperty> Properties(ResourceSnapshot snapshot)
    {
        if (snapshot.Value is { } value)
        {
            yield return snapshot.Resource is ParameterResource parameter
                ? Property("Value", Text(value), parameter.Secret)
                : Property("resource.connectionString", Text(value), sensitive: true);
        }

        if (snapshot.ParentName is { } parent) yield return Property("resource.parentName", Text(parent));
        if (snapshot.ExitCode is { } exitCode) yield return Property("resource.exitCode", Value.ForNumber(exitCode));
        if (snapshot.Launch is not { } launch) yield break;

        if (snapshot.Resource.Annotations.OfType<IProjectMetadata>().SingleOrDefault() is { } project)
            yield return Property("project.path", Text(project.ProjectPath));
        if (snapshot.Resource.Annotations.OfType<ContainerImageAnnotation>().LastOrDefault() is { } image)
            yield return Property("container.image", Text($"{image.Image}:{image.Tag}"));
        yield return Property("executable.path", Text(launch.Path));
        yield return Property("executable.workDir", Text(launch.WorkingDirectory));
        yield return Property("executable.args", Texts(launch.Arguments), sensitive: true);
        yield return Property("resource.appArgs", Texts(launch.Arguments));
        yield return Property("resource.appArgsSensitivity", Value.ForList([.. launch.Arguments.Select(_ => Value.ForNumber(0))]));
        if (snapshot.ProcessId is { } processId) yield return Property("executable.pid", Value.ForNumber(processId));
    }

    private static IEnumerable<Url> Urls(ResourceSnapshot snapshot) => snapshot.Endpoints.Select((endpoint, order) => new Url
    {
        EndpointName = endpoint.EndpointName,
        FullUrl = endpoint.Url,
        IsInactive = snapshot.State != ResourceState.Running,
        DisplayProperties = new UrlDisplayProperties { SortOrder = -order, DisplayName = "" },
    });

    private static V1.HealthReport Map(Running.HealthReport report)
    {
        var mapped = new V1.HealthReport { Key = report.Key, Description = report.Description ?? "" };
        if (report.LastRunAt is { } lastRun) mapped.LastRunAt = Timestamp.FromDateTimeOffset(lastRun);
        if (report.Status is { } status)
        {
            mapped.Status = status switch
            {
                Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy => HealthStatus.Healthy,
                Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Degraded => HealthStatus.Degraded,
                _ => HealthStatus.Unhealthy,
            };
        }

        return mapped;
    }

    private static IEnumerable<ResourceCommand> Commands(ResourceSnapshot snapshot)
    {
        var canStart = snapshot.CanStart;
        var canStop = snapshot.State == ResourceState.Running;
        yield return Command(Start, "Start", "Play", "Start the resource", canStart, hidden: !canStart);
        yield return Command(Stop, "Stop", "Stop", "Stop the resource", canStop, hidden: canStart);
        yield return Command(Restart, "Restart", "ArrowCounterclockwise", "Stop the resource and start it again", canStop, hidden: false);
    }

    private static ResourceCommand Command(string name, string title, string icon, string description, bool enabled, bool hidden) => new()
    {
        Name = name,
        DisplayName = title,
        IconName = icon,
        IconVariant = IconVariant.Filled,
        IsHighlighted = name != Restart,
        DisplayDescription = description,
        State = hidden ? ResourceCommandState.Hidden : enabled ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
    };

    private static ResourceProperty Property(string name, Value value, bool sensitive = false) =>
        new() { Name = name, Value = value, IsSensitive = sensitive };

    private static Value Text(string text) => Value.ForString(text);

    private static Value Texts(IEnumerable<string> texts) => Value.ForList([.. texts.Select(Value.ForString)]);
}
