using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Capture.V1;
using Lifecycle.Gateway.Storage;
using Lifecycle.Testing;

namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>A gateway of its own with a certificate and narrow limits.</summary>
public sealed class EdgeTests : IAsyncLifetime
{
    private const string AdminKey = "the-administrators-key-of-the-tests";

    private readonly string folder = Directory.CreateTempSubdirectory("lifecycle-tls-").FullName;
    private readonly int[] ports = FreePorts.Find(8);
    private readonly HttpClientHandler trusting =
        new() { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
    private TestDatabase? database;
    private TestVirtualHost? broker;
    private ServiceProcess? process;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<GatewayDbContext>("gateway");
        broker = await TestVirtualHost.Create();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            now.AddDays(-1), now.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(folder, "certificate.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        var environment = ServiceEnvironment.For(database, broker);
        environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
        environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
        environment["LIFECYCLE_ADMIN_KEY"] = AdminKey;
        environment["Gateway__TlsPort"] = $"{ports[2]}";
        environment["Gateway__CertificatePath"] = Path.Combine(folder, "certificate.pem");
        environment["Gateway__CertificateKeyPath"] = Path.Combine(folder, "key.pem");
        environment["Gateway__KeyRequestsPerSecond"] = "1";
        environment["Gateway__KeyBurst"] = "3";
        environment["Gateway__AddressRequestsPerSecond"] = "1";
        environment["Gateway__AddressBurst"] = "3";
        foreach (var (service, index) in new[] { "capture", "scoring", "nurture", "conversion", "retention" }.Select(
            (service, index) => (service, index)))
        {
            environment[$"services__{service}__grpc__0"] = $"http://127.0.0.1:{ports[3 + index]}";
        }

        process = ServiceProcess.Create("Gateway", environment);
        await process.Start();
    }

    [Fact]
    public async Task OneTlsPort_ServesRestAndGrpc()
    {
        using var http = new HttpClient(trusting, disposeHandler: false) { BaseAddress = new Uri($"https://127.0.0.1:{ports[2]}") };
        using var channel = GrpcChannel.ForAddress($"https://localhost:{ports[2]}", new GrpcChannelOptions { HttpHandler = trusting });
        var client = new LeadService.LeadServiceClient(channel);

        // The other test uses up the address's rate: the answer beyond it comes first where that one ran before.
        var strict = false;
        await Eventually.Equal(
            HttpStatusCode.Unauthorized,
            async () =>
            {
                using var rest = await http.GetAsync("/v1/workspaces");
                strict = rest.Headers.Contains("Strict-Transport-Security");
                return rest.StatusCode;
            },
            "REST over TLS asks for a key");
        await Eventually.Equal(
            StatusCode.Unauthenticated,
            async () => (await Assert.ThrowsAsync<RpcException>(async () => await client.GetLeadAsync(new() { Id = "7" }))).StatusCode,
            "gRPC over TLS asks for a key");

        Assert.True(strict);
    }

    [Fact]
    public async Task TooManyRequests_Are429WithADelay_ByKeyAndByAddress()
    {
        foreach (var (path, key) in new[] { ("/v1/workspaces", AdminKey), ("/v1/workspaces", "lk_unknown"), ("/docs", null) })
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports[0]}") };
            http.DefaultRequestHeaders.Authorization = key is null ? null : new("Bearer", key);
            HttpResponseMessage response;
            var requests = 0;
            do
            {
                response = await http.GetAsync(path);
                requests++;
            }
            while (response.StatusCode != HttpStatusCode.TooManyRequests && requests < 100);

            Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        }
    }

    public async ValueTask DisposeAsync()
    {
        trusting.Dispose();
        if (process is not null)
        {
            await process.DisposeAsync();
        }

        if (broker is not null)
        {
            await broker.DisposeAsync();
        }

        if (database is not null)
        {
            await database.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }
}
