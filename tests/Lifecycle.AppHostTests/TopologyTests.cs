using Aspire.Hosting.Running;

namespace Lifecycle.AppHostTests;

/// <summary>What the AppHost's Program.cs declares, as it would be started.</summary>
public sealed class TopologyTests
{
    private static readonly string[] Services = ["capture", "scoring", "nurture", "conversion", "retention"];
    private static readonly Task<IReadOnlyList<ResourceDescription>> Native = AppHostProcess.DescribeAsync();

    public static TheoryData<string> Projects => [.. Services, "gateway"];

    [Theory]
    [MemberData(nameof(Projects))]
    public async Task Project_Environment_HoldsItsOwnRoleAndNoAdministrator(string name)
    {
        var project = await Get(name);

        Assert.Equal(
            $"Host=127.0.0.1;Port=18900;Database=lifecycle;Username={name}_app;Password=the-DatabasePassword;Maximum Pool Size=20",
            project.Environment["ConnectionStrings__lifecycle"]);
        Assert.DoesNotContain(project.Environment, v => v.Value.Contains("the-PostgresPassword", StringComparison.Ordinal));
        Assert.DoesNotContain(project.Environment, v => v.Key == "Lifecycle__DatabasePassword");
        Assert.Equal("127.0.0.1:18901", project.Environment["ConnectionStrings__redis"]);
        Assert.Equal("amqp://lifecycle:the-RabbitMqPassword@127.0.0.1:18902", project.Environment["ConnectionStrings__rabbitmq"]);
        Assert.Equal("the-IdentitySecret", project.Environment["Lifecycle__IdentitySecret"]);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public async Task Migration_RunsAsAdministratorAfterPostgresAlone(string name)
    {
        var migration = await Get($"{name}-migration");

        Assert.Equal(["--migrate"], migration.Arguments);
        Assert.Equal(
            "Host=127.0.0.1;Port=18900;Database=lifecycle;Username=postgres;Password=the-PostgresPassword",
            migration.Environment["ConnectionStrings__lifecycle"]);
        Assert.Equal("the-DatabasePassword", migration.Environment["Lifecycle__DatabasePassword"]);
        Assert.Equal(["UntilHealthy postgres"], migration.Waits);
        Assert.Empty(migration.Endpoints);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public async Task Project_Waits_ForServersAndItsMigration(string name)
    {
        var project = await Get(name);

        Assert.Equal(
            ["UntilHealthy postgres", "UntilHealthy redis", "UntilHealthy rabbitmq", "UntilHealthy mail",
                $"UntilCompleted {name}-migration"],
            project.Waits.Take(5));
        Assert.Equal([$"{name}_http_/health_200_check"], project.HealthChecks);
    }

    [Fact]
    public async Task Projects_FindEveryOtherService()
    {
        foreach (var name in (string[])[.. Services, "gateway"])
        {
            var project = await Get(name);
            foreach (var peer in Services.Where(s => s != name))
                Assert.Equal((await Get(peer)).Endpoints["grpc"], project.Environment[$"services__{peer}__grpc__0"]);
            Assert.DoesNotContain($"services__{name}__grpc__0", project.Environment.Keys);
        }
    }

    [Fact]
    public async Task Service_Endpoints_AreWhereItIsToldToListen()
    {
        var capture = await Get("capture");

        Assert.Equal($"http://127.0.0.1:{capture.Environment["HTTP_PORT"]}", capture.Endpoints["http"]);
        Assert.Equal($"http://127.0.0.1:{capture.Environment["GRPC_PORT"]}", capture.Endpoints["grpc"]);
        Assert.NotEqual(capture.Environment["HTTP_PORT"], capture.Environment["GRPC_PORT"]);
    }

    [Fact]
    public async Task Gateway_ListensOnFixedPortsAndStartsAfterTheServices()
    {
        var gateway = await Get("gateway");

        Assert.Equal("http://localhost:8080", gateway.Endpoints["http"]);
        Assert.Equal("http://localhost:8081", gateway.Endpoints["grpc"]);
        Assert.Equal(("8080", "8081"), (gateway.Environment["GATEWAY_HTTP_PORT"], gateway.Environment["GATEWAY_GRPC_PORT"]));
        Assert.Equal("the-AdminKey", gateway.Environment["LIFECYCLE_ADMIN_KEY"]);
        Assert.Equal(Services.Select(s => $"UntilStarted {s}"), gateway.Waits.Skip(5));
    }

    [Fact]
    public async Task Mail_ReachesNurtureOnly()
    {
        Assert.Equal("smtp://127.0.0.1:18904", (await Get("nurture")).Environment["ConnectionStrings__mail"]);
        Assert.DoesNotContain("ConnectionStrings__mail", (await Get("capture")).Environment.Keys);
    }

    [Fact]
    public async Task Projects_Telemetry_IsLinkedToThem()
    {
        var scoring = await Get("scoring");

        Assert.Equal("scoring", scoring.Environment["OTEL_SERVICE_NAME"]);
        Assert.Matches("^service.instance.id=[a-z]{8}$", scoring.Environment["OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal("http://localhost:18889", scoring.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    }

    [Fact]
    public async Task Replicas_ListenApartBehindOneAddress()
    {
        var scoring = (await AppHostProcess.DescribeAsync(("Replicas__scoring", "2"))).Where(r => r.Name == "scoring").ToArray();

        Assert.Equal(2, scoring.Length);
        Assert.Equal(scoring[0].Endpoints["grpc"], scoring[1].Endpoints["grpc"]);
        string[] ports = [.. scoring.SelectMany(s => (string[])[s.Environment["HTTP_PORT"], s.Environment["GRPC_PORT"]])];
        Assert.Equal(4, ports.Distinct().Count());
        Assert.NotEqual(scoring[0].Environment["OTEL_RESOURCE_ATTRIBUTES"], scoring[1].Environment["OTEL_RESOURCE_ATTRIBUTES"]);
    }

    [Fact]
    public async Task Containers_GetTheirSecretsByEnvironmentOnly()
    {
        var resources = await AppHostProcess.DescribeAsync(("LIFECYCLE_INFRA", "containers"));

        var postgres = resources.Single(r => r.Name == "postgres");
        Assert.Equal("docker", postgres.Path);
        Assert.Contains("lifecycle-postgres:/var/lib/postgresql/data", postgres.Arguments);
        Assert.DoesNotContain(postgres.Arguments, a => a.Contains("the-PostgresPassword", StringComparison.Ordinal));
        Assert.Equal("the-PostgresPassword", postgres.Environment["POSTGRES_PASSWORD"]);
        Assert.Equal("lifecycle", postgres.Environment["POSTGRES_DB"]);
        Assert.Equal(["mail", "postgres", "rabbitmq", "redis"], resources.Where(r => r.Type == "Container").Select(r => r.Name).Order());
        var capture = resources.Single(r => r.Name == "capture");
        Assert.Matches(
            "^Host=127.0.0.1;Port=\\d+;Database=lifecycle;Username=capture_app;", capture.Environment["ConnectionStrings__lifecycle"]);
    }

    [Fact]
    public async Task External_UsesTheGivenServersUnderTheServicesOwnRoles()
    {
        var resources = await AppHostProcess.DescribeAsync(
            ("LIFECYCLE_INFRA", "external"),
            ("ConnectionStrings__lifecycle",
                "Host=db.example.com;Port=5433;Username=root;Password=the-PostgresPassword;Database=crm;SSL Mode=Require"),
            ("ConnectionStrings__redis", "cache.example.com:6379"),
            ("ConnectionStrings__rabbitmq", "amqps://a:b@broker.example.com/x"),
            ("ConnectionStrings__mail", "smtp://mail.example.com:25"));

        Assert.Equal(12, resources.Count);
        var retention = resources.Single(r => r.Name == "retention").Environment;
        Assert.Equal(
            "host=db.example.com;port=5433;database=crm;ssl mode=Require;"
            + "Username=retention_app;Password=the-DatabasePassword;Maximum Pool Size=20",
            retention["ConnectionStrings__lifecycle"]);
        Assert.Equal("amqps://a:b@broker.example.com/x", retention["ConnectionStrings__rabbitmq"]);
        Assert.DoesNotContain(retention, v => v.Value.Contains("the-PostgresPassword", StringComparison.Ordinal));
    }

    [Fact]
    public async Task UnknownMode_IsRefusedInOneSentence()
    {
        var (exitCode, _, errors) = await AppHostProcess.RunAsync([], ("LIFECYCLE_INFRA", "cloud"));

        Assert.Equal(1, exitCode);
        Assert.Equal("LIFECYCLE_INFRA is containers, native or external, not 'cloud'.", errors.Trim());
    }

    private static async Task<ResourceDescription> Get(string name) => (await Native).Single(r => r.Name == name);
}
