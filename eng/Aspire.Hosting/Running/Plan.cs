using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Running;

/// <summary>The processes to run, with every port given out.</summary>
internal sealed record Plan(IReadOnlyList<IResource> Resources, IReadOnlyList<ResourceInstance> Instances)
{
    /// <exception cref="DistributedApplicationException">An endpoint cannot be had as declared.</exception>
    public static Plan Make(IEnumerable<IResource> resources, Ports ports)
    {
        var all = resources.ToArray();
        var instances = new List<ResourceInstance>();
        foreach (var endpoint in all.SelectMany(r => r.Annotations.OfType<EndpointAnnotation>()))
        {
            if (endpoint.Port is { } port) ports.Keep(port);
            if (endpoint.TargetPort is { } target) ports.Keep(target);
        }

        foreach (var resource in all)
        {
            var replicas = resource.Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1;
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
                endpoint.Allocated = Allocate(resource, endpoint, replicas, ports);
            if (resource is not (ExecutableResource or ProjectResource or ContainerResource)) continue;
            for (var replica = 0; replica < replicas; replica++)
                instances.Add(new ResourceInstance(resource, replica, RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz", 8)));
        }

        return new Plan(all, instances);
    }

    /// <summary>Looks whether the ports that are asked for by number can be had.</summary>
    /// <exception cref="DistributedApplicationException">Something listens there already.</exception>
    public void CheckPorts(RunOptions options)
    {
        List<(int Port, string Wanted)> wanted =
        [
            .. from resource in Resources
               from endpoint in resource.Annotations.OfType<EndpointAnnotation>()
               where endpoint.Port is not null
               select (endpoint.Port!.Value, $"the endpoint '{endpoint.Name}' of '{resource.Name}'"),
        ];
        if (options.Dashboard is { } dashboard)
        {
            wanted.AddRange(
                [(dashboard.Port, "the dashboard"), (options.OtlpGrpc.Port, "OTLP over gRPC"), (options.OtlpHttp.Port, "OTLP over HTTP")]);
        }

        var taken = wanted.Where(w => !Ports.IsFree(w.Port)).ToArray();
        if (taken.Length > 0)
            throw new DistributedApplicationException(string.Join('\n', taken.Select(t =>
                $"Port {t.Port} on 127.0.0.1 is in use, and {t.Wanted} needs it: stop what listens there, or choose another port.")));
    }

    /// <summary>Everything that would be started, with its environment, arguments and waits; for tests and for the curious.</summary>
    public async Task<IReadOnlyList<ResourceDescription>> DescribeAsync(CancellationToken cancellationToken)
    {
        var descriptions = new List<ResourceDescription>();
        foreach (var instance in Instances)
        {
            var launch = await instance.LaunchAsync(new Uri("http://localhost:18889"), cancellationToken);
            descriptions.Add(new ResourceDescription(
                instance.Resource.Name,
                instance.Type,
                launch.Path,
                launch.Arguments,
                launch.Environment.ToDictionary(v => v.Key, v => v.Value),
                [.. instance.Resource.Annotations.OfType<WaitAnnotation>().Select(w => $"{w.Type} {w.Resource.Name}")],
                [.. instance.Resource.Annotations.OfType<HealthCheckAnnotation>().Select(h => h.Key)],
                instance.Endpoints.ToDictionary(e => e.EndpointName, e => e.Url)));
        }

        return descriptions;
    }

    private static AllocatedEndpoint Allocate(IResource resource, EndpointAnnotation endpoint, int replicas, Ports ports)
    {
        var host = endpoint.IsExternal ? "localhost" : "127.0.0.1";
        if (resource is ContainerResource)
        {
            var target = endpoint.TargetPort ?? endpoint.Port
                ?? throw new DistributedApplicationException(
                    $"The endpoint '{endpoint.Name}' of the container '{resource.Name}' needs a target port.");
            return new AllocatedEndpoint(host, endpoint.Port ?? ports.Free(), [target], NeedsProxy: false);
        }

        if (replicas == 1)
        {
            // One process listens where callers connect: a proxy would cost time and add nothing.
            var target = endpoint.TargetPort ?? endpoint.Port ?? ports.Free();
            var port = endpoint.Port ?? target;
            if (port != target && !endpoint.IsProxied)
                throw new DistributedApplicationException(
                    $"The endpoint '{endpoint.Name}' of '{resource.Name}' has two ports and no proxy.");
            return new AllocatedEndpoint(host, port, [target], NeedsProxy: port != target);
        }

        if (!endpoint.IsProxied || endpoint.TargetPort is not null)
            throw new DistributedApplicationException(
                    $"The endpoint '{endpoint.Name}' of '{resource.Name}' cannot serve {replicas} replicas without a proxy.");
        var targets = Enumerable.Range(0, replicas).Select(_ => ports.Free()).ToArray();
        return new AllocatedEndpoint(host, endpoint.Port ?? ports.Free(), targets, NeedsProxy: true);
    }
}

/// <summary>One process as it would be started.</summary>
internal sealed record ResourceDescription(
    string Name, string Type, string Path, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<string> Waits, IReadOnlyList<string> HealthChecks, IReadOnlyDictionary<string, string> Endpoints);
