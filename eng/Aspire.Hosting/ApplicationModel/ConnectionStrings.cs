using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting
{
    /// <summary>A named connection string, composed of other resources' values.</summary>
    public sealed class ConnectionStringResource(string name, ReferenceExpression connectionStringExpression)
        : Resource(name), IResourceWithConnectionString, IResourceWithWaitSupport
    {
        public ReferenceExpression ConnectionStringExpression { get; } = connectionStringExpression;
    }
}

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>A PostgreSQL server in a container.</summary>
    public class PostgresServerResource(string name, ParameterResource? userName, ParameterResource password)
        : ContainerResource(name), IResourceWithConnectionString
    {
        /// <summary>The endpoint of the PostgreSQL protocol.</summary>
        public EndpointReference PrimaryEndpoint => new(this, "tcp");

        public ParameterResource PasswordParameter { get; } = password;

        /// <summary>An Npgsql connection string of the server's administrator.</summary>
        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
            $"{Address};Username={UserNameReference};Password={PasswordParameter}");

        private ReferenceExpression Address => ReferenceExpression.Create(
            $"Host={PrimaryEndpoint.Property(EndpointProperty.Host)};Port={PrimaryEndpoint.Property(EndpointProperty.Port)}");

        internal ReferenceExpression UserNameReference =>
            userName is null ? ReferenceExpression.Create($"postgres") : ReferenceExpression.Create($"{userName}");
    }

    /// <summary>A database on a PostgreSQL server, made with the server.</summary>
    public class PostgresDatabaseResource(string name, string databaseName, PostgresServerResource postgresParentResource)
        : Resource(name), IResourceWithConnectionString
    {
        public PostgresServerResource Parent { get; } = postgresParentResource;

        public string DatabaseName { get; } = databaseName;

        public ReferenceExpression ConnectionStringExpression =>
            ReferenceExpression.Create($"{Parent};Database={DatabaseName}");
    }

    /// <summary>A Redis server in a container.</summary>
    public class RedisResource(string name) : ContainerResource(name), IResourceWithConnectionString
    {
        public EndpointReference PrimaryEndpoint => new(this, "tcp");

        /// <summary>The password; null: none is asked for.</summary>
        public ParameterResource? PasswordParameter { get; internal set; }

        /// <summary>As StackExchange.Redis reads it: host:port, with the password when there is one.</summary>
        public ReferenceExpression ConnectionStringExpression => PasswordParameter is { } password
            ? ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)},password={password}")
            : ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");
    }

    /// <summary>A RabbitMQ server in a container.</summary>
    public class RabbitMQServerResource(string name, ParameterResource? userName, ParameterResource password)
        : ContainerResource(name), IResourceWithConnectionString
    {
        public EndpointReference PrimaryEndpoint => new(this, "tcp");

        public ParameterResource PasswordParameter { get; } = password;

        /// <summary>amqp://user:password@host:port</summary>
        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
            $"amqp://{UserNameReference}:{PasswordParameter}@{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");

        internal ReferenceExpression UserNameReference =>
            userName is null ? ReferenceExpression.Create($"guest") : ReferenceExpression.Create($"{userName}");
    }
}
