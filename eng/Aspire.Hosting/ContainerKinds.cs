using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Aspire.Hosting;

public static class ContainerResourceBuilderExtensions
{
    public static IResourceBuilder<ContainerResource> AddContainer(
        this IDistributedApplicationBuilder builder, string name, string image, string tag) =>
        builder.AddResource(new ContainerResource(name)).WithAnnotation(new ContainerImageAnnotation(image, tag));

    public static IResourceBuilder<ContainerResource> AddContainer(
        this IDistributedApplicationBuilder builder, string name, string image) => builder.AddContainer(name, image, "latest");

    internal static IResourceBuilder<T> WithVolume<T>(this IResourceBuilder<T> builder, string? name, string target)
        where T : ContainerResource =>
        builder.WithAnnotation(new ContainerVolumeAnnotation(name ?? $"lifecycle-{builder.Resource.Name}-data", target));

    internal static IResourceBuilder<ParameterResource> PasswordOf(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource>? given) =>
        given ?? builder.AddParameter($"{name}-password", new GenerateParameterDefault { Special = false }, secret: true);
}

public static class PostgresBuilderExtensions
{
    public static IResourceBuilder<PostgresServerResource> AddPostgres(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource>? userName = null,
        IResourceBuilder<ParameterResource>? password = null, int? port = null)
    {
        var server = new PostgresServerResource(name, userName?.Resource, builder.PasswordOf(name, password).Resource);
        builder.Services.AddHealthChecks().AddAsyncCheck($"{name}_check", async cancellationToken =>
        {
            try
            {
                await using var connection = new NpgsqlConnection(await server.ConnectionStringExpression.GetValueAsync(cancellationToken));
                await connection.OpenAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (NpgsqlException exception)
            {
                return HealthCheckResult.Unhealthy(exception.Message);
            }
        });
        return builder.AddResource(server)
            .WithAnnotation(new ContainerImageAnnotation("docker.io/library/postgres", "17.6"))
            .WithEndpoint(port, targetPort: 5432, name: "tcp")
            .WithEnvironment("POSTGRES_USER", server.UserNameReference)
            .WithEnvironment("POSTGRES_PASSWORD", ReferenceExpression.Create($"{server.PasswordParameter}"))
            .WithHealthCheck($"{name}_check");
    }

    public static IResourceBuilder<PostgresServerResource> WithDataVolume(
        this IResourceBuilder<PostgresServerResource> builder, string? name = null) =>
        builder.WithVolume(name, "/var/lib/postgresql/data");

    /// <summary>One database for the server, which the image makes with a new data volume.</summary>
    public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(
        this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
    {
        builder.WithEnvironment("POSTGRES_DB", databaseName ?? name);
        return builder.ApplicationBuilder.AddResource(new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource))
            .WithParentRelationship(builder);
    }
}

public static class RedisBuilderExtensions
{
    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, string name, int? port = null) =>
        builder.AddResource(new RedisResource(name))
            .WithAnnotation(new ContainerImageAnnotation("docker.io/library/redis", "8.2"))
            .WithEndpoint(port, targetPort: 6379, name: "tcp");

    /// <summary>No password by default, and none may be given here.</summary>
    public static IResourceBuilder<RedisResource> WithPassword(
        this IResourceBuilder<RedisResource> builder, IResourceBuilder<ParameterResource>? password)
    {
        if (password is not null) builder.WithArgs("redis-server", "--requirepass").WithArgs(password);
        builder.Resource.PasswordParameter = password?.Resource;
        return builder;
    }
}

public static class RabbitMQBuilderExtensions
{
    public static IResourceBuilder<RabbitMQServerResource> AddRabbitMQ(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource>? userName = null,
        IResourceBuilder<ParameterResource>? password = null, int? port = null)
    {
        var server = new RabbitMQServerResource(name, userName?.Resource, builder.PasswordOf(name, password).Resource);
        return builder.AddResource(server)
            .WithAnnotation(new ContainerImageAnnotation("docker.io/library/rabbitmq", "4.2-management"))
            .WithEndpoint(port, targetPort: 5672, name: "tcp")
            .WithEnvironment("RABBITMQ_DEFAULT_USER", server.UserNameReference)
            .WithEnvironment("RABBITMQ_DEFAULT_PASS", ReferenceExpression.Create($"{server.PasswordParameter}"));
    }

    public static IResourceBuilder<RabbitMQServerResource> WithDataVolume(
        this IResourceBuilder<RabbitMQServerResource> builder, string? name = null) => builder.WithVolume(name, "/var/lib/rabbitmq");

    /// <summary>The management page and API, at the endpoint <c>management</c>.</summary>
    public static IResourceBuilder<RabbitMQServerResource> WithManagementPlugin(
        this IResourceBuilder<RabbitMQServerResource> builder, int? port = null) =>
        builder.WithHttpEndpoint(port, targetPort: 15672, name: "management").WithHttpHealthCheck("/", endpointName: "management");
}
