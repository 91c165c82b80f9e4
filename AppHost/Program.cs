using Lifecycle.AppHost;
using Microsoft.Extensions.Configuration;

var builder = DistributedApplication.CreateBuilder(args);
var infrastructure = Infrastructure.Add(builder);

var databasePassword = Infrastructure.Secret(builder, "DatabasePassword");
var identitySecret = Infrastructure.Secret(builder, "IdentitySecret");
var adminKey = Infrastructure.Secret(builder, "AdminKey");

IResourceBuilder<ProjectResource>[] services =
[
    Service<Projects.Lifecycle_Capture>("capture"),
    Service<Projects.Lifecycle_Scoring>("scoring"),
    Service<Projects.Lifecycle_Nurture>("nurture").WithEnvironment("ConnectionStrings__mail", infrastructure.Mail),
    Service<Projects.Lifecycle_Conversion>("conversion"),
    Service<Projects.Lifecycle_Retention>("retention"),
];

var gateway = Project<Projects.Lifecycle_Gateway>("gateway")
    .WithHttpEndpoint(Port("Http", 8080), name: "http", env: "GATEWAY_HTTP_PORT", isProxied: false)
    .WithHttpEndpoint(Port("Grpc", 8081), name: "grpc", env: "GATEWAY_GRPC_PORT", isProxied: false)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health", endpointName: "http")
    .WithEnvironment("LIFECYCLE_ADMIN_KEY", adminKey);

foreach (var project in (IResourceBuilder<ProjectResource>[])[.. services, gateway])
{
    foreach (var peer in services.Where(peer => peer.Resource != project.Resource))
        project.WithReference(peer.GetEndpoint("grpc"));
}

// Only the order of starting and, in reverse, of stopping: the gateway answers for itself while a service is away.
foreach (var service in services) gateway.WaitForStart(service);

builder.Build().Run();

IResourceBuilder<ProjectResource> Service<TProject>(string name) where TProject : IProjectMetadata, new() =>
    Project<TProject>(name)
        .WithHttpEndpoint(name: "http", env: "HTTP_PORT")
        .WithHttpEndpoint(name: "grpc", env: "GRPC_PORT")
        .WithHttpHealthCheck("/health", endpointName: "http")
        .WithReplicas(builder.Configuration.GetValue($"Replicas:{name}", 1));

// A project runs twice: once as the administrator to bring its schema up to date, then as its own role, which owns nothing.
IResourceBuilder<ProjectResource> Project<TProject>(string name) where TProject : IProjectMetadata, new()
{
    var project = Configured(name, infrastructure.Servers)
        .WithEnvironment("ConnectionStrings__lifecycle", ReferenceExpression.Create(
            $"{infrastructure.DatabaseAddress};Username={name}_app;Password={databasePassword};Maximum Pool Size=20"));
    var migration = Configured($"{name}-migration", infrastructure.DatabaseServer)
        .WithArgs("--migrate")
        .WithEnvironment("ConnectionStrings__lifecycle", infrastructure.Administrator)
        .WithEnvironment("Lifecycle__DatabasePassword", databasePassword)
        .WithParentRelationship(project);
    return project.WaitForCompletion(migration);

    IResourceBuilder<ProjectResource> Configured(string resource, IReadOnlyList<IResourceBuilder<IResource>> servers)
    {
        var configured = builder.AddProject<TProject>(resource, launchProfileName: null)
            .WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.Environment.EnvironmentName)
            .WithEnvironment("ConnectionStrings__redis", infrastructure.Redis)
            .WithEnvironment("ConnectionStrings__rabbitmq", infrastructure.RabbitMq)
            .WithEnvironment("Lifecycle__IdentitySecret", identitySecret);
        foreach (var server in servers) configured.WaitFor(server);
        return configured;
    }
}

int Port(string endpoint, int otherwise) => builder.Configuration.GetValue($"Gateway:{endpoint}Port", otherwise);
