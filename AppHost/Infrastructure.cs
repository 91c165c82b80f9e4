using System.Data.Common;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Lifecycle.AppHost;

/// <summary>The servers that the suite stands on, by how others reach them, whatever they run as.</summary>
/// <param name="Administrator">Npgsql connection string of the database's administrator, for migrations only.</param>
/// <param name="DatabaseAddress">The part of an Npgsql connection string that says where the database is, without a role.</param>
/// <param name="Redis">host:port, with options as StackExchange.Redis reads them.</param>
/// <param name="RabbitMq">amqp://user:password@host:port/vhost</param>
/// <param name="Mail">smtp://host:port</param>
/// <param name="DatabaseServer">What migrations wait for; empty where the servers run elsewhere.</param>
/// <param name="Servers">What services wait for.</param>
internal sealed record Infrastructure(
    ReferenceExpression Administrator, ReferenceExpression DatabaseAddress, ReferenceExpression Redis, ReferenceExpression RabbitMq,
    ReferenceExpression Mail, IReadOnlyList<IResourceBuilder<IResource>> DatabaseServer, IReadOnlyList<IResourceBuilder<IResource>> Servers)
{
    private const string Database = "lifecycle";

    /// <summary>LIFECYCLE_INFRA: containers, native or external. By default containers where an engine answers, else native.</summary>
    public static Infrastructure Add(IDistributedApplicationBuilder builder) =>
        (builder.Configuration["LIFECYCLE_INFRA"] ?? (ContainerEngineAnswers() ? "containers" : "native")) switch
        {
            "containers" => Containers(builder),
            "native" => Native(builder),
            "external" => External(builder),
            var other => throw new DistributedApplicationException(
                $"LIFECYCLE_INFRA is containers, native or external, not '{other}'."),
        };

    /// <summary>44 letters and digits (so Base64 of 33 bytes, too), kept among the user's secrets unless the parameter is given.</summary>
    public static IResourceBuilder<ParameterResource> Secret(IDistributedApplicationBuilder builder, string name) =>
        builder.AddParameter(name, new GenerateParameterDefault { MinLength = 44, Special = false }, secret: true, persist: true);

    private static Infrastructure Containers(IDistributedApplicationBuilder builder)
    {
        var postgres = builder.AddPostgres("postgres", password: Secret(builder, "PostgresPassword")).WithDataVolume("lifecycle-postgres");
        var database = postgres.AddDatabase(Database);
        var redis = builder.AddRedis("redis").WithPassword(null);
        var rabbitmq = builder.AddRabbitMQ("rabbitmq", password: Secret(builder, "RabbitMqPassword"))
            .WithDataVolume("lifecycle-rabbitmq").WithManagementPlugin();
        var mail = builder.AddContainer("mail", "docker.io/maildev/maildev", "2.2.1")
            .WithEndpoint(targetPort: 1025, scheme: "smtp", name: "smtp")
            .WithHttpEndpoint(targetPort: 1080, name: "http")
            .WithHttpHealthCheck("/healthz", endpointName: "http");
        return new Infrastructure(
            ReferenceExpression.Create($"{database}"),
            Address(postgres.GetEndpoint("tcp")),
            ReferenceExpression.Create($"{redis}"),
            ReferenceExpression.Create($"{rabbitmq}"),
            ReferenceExpression.Create($"{mail.GetEndpoint("smtp")}"),
            [database],
            [database, redis, rabbitmq, mail]);
    }

    /// <summary>The same servers as processes of this machine: private ports, data under .data/.</summary>
    private static Infrastructure Native(IDistributedApplicationBuilder builder)
    {
        var root = Path.GetFullPath("..", builder.AppHostDirectory);
        var data = Path.GetFullPath(builder.Configuration["LIFECYCLE_DATA"] ?? ".data", root);
        var firstPort = builder.Configuration.GetValue("LIFECYCLE_NATIVE_PORTS", 18900);
        var postgresPassword = Secret(builder, "PostgresPassword");
        var rabbitMqPassword = Secret(builder, "RabbitMqPassword");

        string Text(int port) => (firstPort + port).ToString(System.Globalization.CultureInfo.InvariantCulture);
        IResourceBuilder<ExecutableResource> Server(string name, string scheme, int port, string command, params string[] arguments) =>
            builder.AddExecutable(name, Path.Combine(root, command), root, arguments)
                .WithEndpoint(firstPort + port, firstPort + port, scheme, scheme, isProxied: false);

        var postgres = Server("postgres", "tcp", 0, "eng/native/postgres", "--data", Path.Combine(data, "postgres"), "--port", Text(0))
            .WithEnvironment("POSTGRES_PASSWORD", postgresPassword)
            .WithHealthCheck("postgres");
        var redis = Server("redis", "tcp", 1, "eng/native/redis", "--data", Path.Combine(data, "redis"), "--port", Text(1))
            .WithHealthCheck("redis");
        var rabbitmq = Server(
                "rabbitmq", "tcp", 2, "eng/native/rabbitmq",
                "--data", Path.Combine(data, "rabbitmq"), "--port", Text(2), "--management-port", Text(3))
            .WithHttpEndpoint(firstPort + 3, firstPort + 3, "management", isProxied: false)
            .WithEnvironment("RABBITMQ_DEFAULT_USER", Database)
            .WithEnvironment("RABBITMQ_DEFAULT_PASS", rabbitMqPassword)
            .WithHttpHealthCheck("/", endpointName: "management")
            .WithHealthCheck("rabbitmq");
        var mail = Server(
                "mail", "smtp", 4, "eng/node_modules/.bin/maildev",
                "--ip", "127.0.0.1", "--smtp", Text(4), "--web-ip", "127.0.0.1", "--web", Text(5))
            .WithHttpEndpoint(firstPort + 5, firstPort + 5, "http", isProxied: false)
            .WithHttpHealthCheck("/healthz", endpointName: "http");

        var administrator = ReferenceExpression.Create(
            $"{Address(postgres.GetEndpoint("tcp"))};Username=postgres;Password={postgresPassword}");
        builder.Services.AddHealthChecks()
            .AddAsyncCheck("postgres", token => DatabaseExistsAsync(administrator, token))
            .AddAsyncCheck("redis", token => AnswersAsync(redis.GetEndpoint("tcp"), "PING\r\n", "+PONG", token))
            .AddAsyncCheck("rabbitmq", token => AnswersAsync(rabbitmq.GetEndpoint("tcp"), "", "", token));
        return new Infrastructure(
            administrator,
            Address(postgres.GetEndpoint("tcp")),
            ReferenceExpression.Create($"{redis.GetEndpoint("tcp").Property(EndpointProperty.HostAndPort)}"),
            ReferenceExpression.Create(
                $"amqp://{Database}:{rabbitMqPassword}@{rabbitmq.GetEndpoint("tcp").Property(EndpointProperty.HostAndPort)}"),
            ReferenceExpression.Create($"{mail.GetEndpoint("smtp")}"),
            [postgres],
            [postgres, redis, rabbitmq, mail]);
    }

    /// <summary>Servers that run already: ConnectionStrings__lifecycle (of an administrator), __redis, __rabbitmq and __mail.</summary>
    private static Infrastructure External(IDistributedApplicationBuilder builder)
    {
        ReferenceExpression Given(string name) => ReferenceExpression.Create($"{builder.AddConnectionString(name)}");

        var text = builder.Configuration.GetConnectionString(Database) ?? throw new DistributedApplicationException(
            "LIFECYCLE_INFRA=external takes ConnectionStrings__lifecycle, the connection string of the database's administrator.");
        var address = new DbConnectionStringBuilder { ConnectionString = text };
        foreach (var role in (string[])["Username", "User Name", "User ID", "Password"]) address.Remove(role);
        return new Infrastructure(
            Given(Database),
            ReferenceExpression.Create($"{address.ConnectionString}"),
            Given("redis"), Given("rabbitmq"), Given("mail"), [], []);
    }

    private static ReferenceExpression Address(EndpointReference endpoint) => ReferenceExpression.Create(
        $"Host={endpoint.Property(EndpointProperty.Host)};Port={endpoint.Property(EndpointProperty.Port)};Database={Database}");

    /// <summary>Healthy once the server takes connections and has the database, which is made with a new data folder.</summary>
    private static async Task<HealthCheckResult> DatabaseExistsAsync(ReferenceExpression administrator, CancellationToken cancellationToken)
    {
        var server = new NpgsqlConnectionStringBuilder(await administrator.GetValueAsync(cancellationToken))
        {
            Database = "postgres",
            Pooling = false,
            Timeout = 2,
        };
        try
        {
            await using var connection = new NpgsqlConnection(server.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var exists = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = $1", connection);
            exists.Parameters.Add(new NpgsqlParameter { Value = Database });
            if (await exists.ExecuteScalarAsync(cancellationToken) is null)
            {
                await using var create = new NpgsqlCommand($"CREATE DATABASE {Database}", connection);
                await create.ExecuteNonQueryAsync(cancellationToken);
            }

            return HealthCheckResult.Healthy();
        }
        catch (NpgsqlException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }

    /// <summary>
    /// Healthy when a server answers a first word of its protocol as it should; without a word, when it takes the connection.
    /// RabbitMQ complains in its log of whoever says a word and leaves.
    /// </summary>
    private static async Task<HealthCheckResult> AnswersAsync(
        EndpointReference endpoint, string word, string answer, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(endpoint.Host, endpoint.Port, limit.Token);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(word), limit.Token);
            var bytes = new byte[answer.Length];
            await stream.ReadExactlyAsync(bytes, limit.Token);
            var text = Encoding.Latin1.GetString(bytes);
            return text == answer ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"It answered '{text}'.");
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }

    private static bool ContainerEngineAnswers()
    {
        try
        {
            var command = new ProcessStartInfo("docker", "version --format {{.Server.Version}}")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var docker = Process.Start(command)!;
            if (docker.WaitForExit(TimeSpan.FromSeconds(5))) return docker.ExitCode == 0;
            docker.Kill(entireProcessTree: true);
            return false;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
