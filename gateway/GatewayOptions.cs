using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Lifecycle.Gateway;

/// <summary>Section <c>Gateway</c>.</summary>
public sealed class GatewayOptions : IValidatableObject
{
    public const string Section = "Gateway";

    /// <summary>Port of REST (HTTP/1.1). The variable <c>GATEWAY_HTTP_PORT</c> wins.</summary>
    [Range(0, 65535)]
    public int HttpPort { get; set; } = 8080;

    /// <summary>Port of gRPC (HTTP/2 without TLS). The variable <c>GATEWAY_GRPC_PORT</c> wins.</summary>
    [Range(0, 65535)]
    public int GrpcPort { get; set; } = 8081;

    /// <summary>Port on which both are served with TLS, where a certificate is given.</summary>
    [Range(0, 65535)]
    public int TlsPort { get; set; } = 8443;

    /// <summary>Certificate in PEM; empty: no TLS.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>Its private key in PEM.</summary>
    public string CertificateKeyPath { get; set; } = "";

    /// <summary>Origins whose pages may call everything, e.g. <c>https://app.example.com</c>. Ingest takes pages of any origin.</summary>
    public IList<string> CorsOrigins { get; } = [];

    /// <summary>Addresses of proxies in front, whose X-Forwarded-For is believed.</summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>Largest body of an ingest request, bytes.</summary>
    [Range(1024, 1024 * 1024 * 1024)]
    public long IngestBodyBytes { get; set; } = 5 * 1024 * 1024;

    /// <summary>Largest body of any other request, bytes. Imports are streamed and have no limit.</summary>
    [Range(1024, 1024 * 1024 * 1024)]
    public long BodyBytes { get; set; } = 1024 * 1024;

    /// <summary>Time that a request to a service may take, streams and imports apart.</summary>
    [Range(1, 3600)]
    public int RequestSeconds { get; set; } = 60;

    /// <summary>Requests per second and key, lasting.</summary>
    [Range(1, 1_000_000)]
    public int KeyRequestsPerSecond { get; set; } = 500;

    /// <summary>Requests of one key at once, above the lasting rate.</summary>
    [Range(1, 1_000_000)]
    public int KeyBurst { get; set; } = 2000;

    /// <summary>Requests per second and client address without a key: public links and failed sign-ins.</summary>
    [Range(1, 1_000_000)]
    public int AddressRequestsPerSecond { get; set; } = 100;

    /// <summary>Requests of one client address at once, above the lasting rate.</summary>
    [Range(1, 1_000_000)]
    public int AddressBurst { get; set; } = 500;

    /// <summary>Keys held in memory.</summary>
    [Range(1, 10_000_000)]
    public int CachedKeys { get; set; } = 10_000;

    /// <summary>Longest time that a key is believed without asking the database, should its revocation not be heard.</summary>
    [Range(1, 3600)]
    public int KeyCacheSeconds { get; set; } = 10;

    /// <summary>Pause between writes of when keys were last used.</summary>
    [Range(1, 3600)]
    public int KeyUseSeconds { get; set; } = 60;

    /// <summary>Time that the scorecard waits for each service.</summary>
    [Range(1, 60)]
    public int ScorecardSeconds { get; set; } = 5;

    /// <summary>Pause between looks for workspaces whose targets are due.</summary>
    [Range(1, 3600)]
    public int TargetPollSeconds { get; set; } = 60;

    /// <summary>Time between two looks at the targets of a workspace.</summary>
    [Range(1, 10_080)]
    public int TargetCheckMinutes { get; set; } = 60;

    /// <summary>A target with a smaller chance to be met is warned of.</summary>
    [Range(0.0, 1.0)]
    public double TargetWarningProbability { get; set; } = 0.4;

    /// <summary>A target with a smaller chance to be met is critical.</summary>
    [Range(0.0, 1.0)]
    public double TargetCriticalProbability { get; set; } = 0.1;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if ((CertificatePath.Length == 0) != (CertificateKeyPath.Length == 0))
        {
            yield return new("Gateway:CertificatePath and Gateway:CertificateKeyPath go together.", [nameof(CertificatePath)]);
        }

        foreach (var proxy in TrustedProxies.Where(proxy => !IPAddress.TryParse(proxy, out _)))
        {
            yield return new($"Gateway:TrustedProxies: {proxy} is no IP address.", [nameof(TrustedProxies)]);
        }
    }
}
