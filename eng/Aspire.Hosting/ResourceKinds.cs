using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

public static class ParameterResourceBuilderExtensions
{
    /// <summary>A value of configuration's <c>Parameters:NAME</c>, which must be there.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, bool secret = false) => builder.AddParameter(name, null!, secret);

    /// <summary>A value of configuration's <c>Parameters:NAME</c>, or else <paramref name="value"/>.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="value">The default.</param>
    /// <param name="secret">Whether the value is masked where it is shown.</param>
    /// <param name="persist">Whether a default is kept among the user's secrets, so that the next start has the same.</param>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false)
    {
        var key = $"Parameters:{name}";

        string Value(ParameterDefault? otherwise)
        {
            if (builder.Configuration[key] is { Length: > 0 } given) return given;
            if (otherwise is null)
                throw new MissingParameterValueException(
                    $"The parameter '{name}' has no value: set the environment variable Parameters__{name}.");
            return persist
                ? UserSecrets.GetOrAdd(builder.Configuration["UserSecretsId"], key, otherwise.GetDefaultValue)
                : otherwise.GetDefaultValue();
        }

        return builder.AddResource(new ParameterResource(name, Value, secret) { Default = value });
    }

    /// <summary>A connection string of configuration's <c>ConnectionStrings:NAME</c>, which must be there.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name)
    {
        var given = new ParameterResource(
            $"{name}-connection",
            _ => builder.Configuration.GetConnectionString(name) is { Length: > 0 } value
                ? value
                : throw new MissingParameterValueException(
                $"The connection string '{name}' is missing: set the environment variable ConnectionStrings__{name}."),
            secret: true);
        return builder.AddConnectionString(name, ReferenceExpression.Create($"{given}"));
    }
}

public static class ConnectionStringBuilderExtensions
{
    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, ReferenceExpression connectionStringExpression) =>
        builder.AddResource(new ConnectionStringResource(name, connectionStringExpression));
}

public static class ExecutableResourceBuilderExtensions
{
    /// <param name="builder">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="command">A path, or a name that is looked up in PATH.</param>
    /// <param name="workingDirectory">Relative to the AppHost's folder.</param>
    /// <param name="args">The first arguments.</param>
    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args)
    {
        var folder = Path.GetFullPath(workingDirectory, builder.AppHostDirectory);
        return builder.AddResource(new ExecutableResource(name, command, folder)).WithArgs(args ?? []);
    }
}

public static class ProjectResourceBuilderExtensions
{
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() => builder.AddProject<TProject>(name, launchProfileName: null);

    /// <param name="builder">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="launchProfileName">Must be null: projects here take nothing from launch profiles.</param>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new()
    {
        if (launchProfileName is not null) throw new NotSupportedException("Launch profiles are not read.");
        return builder.AddResource(new ProjectResource(name)).WithAnnotation(new TProject());
    }

    /// <summary>Runs the project in several processes behind one address.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas));
    }
}
