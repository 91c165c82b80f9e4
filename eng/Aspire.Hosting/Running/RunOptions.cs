using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.Running;

/// <summary>Where the AppHost finds its tools and listens, under the names that a real AppHost's launch profile uses.</summary>
/// <param name="LayoutPath">The unpacked bundle of DCP and dashboard: the folder of <c>dcp/</c> and <c>managed/</c>.</param>
/// <param name="Dashboard">The dashboard's page and API; null: no dashboard.</param>
/// <param name="OtlpGrpc">Where the dashboard takes telemetry by OTLP over gRPC.</param>
/// <param name="OtlpHttp">Where it takes telemetry by OTLP over HTTP.</param>
/// <param name="ResourceService">Where the AppHost tells the dashboard of its resources.</param>
/// <param name="StartTimeout">How long everything may take to become ready.</param>
/// <param name="StreamLogs">Whether the console output of the resources is repeated on the AppHost's.</param>
internal sealed record RunOptions(
    string LayoutPath, Uri? Dashboard, Uri OtlpGrpc, Uri OtlpHttp, IPEndPoint ResourceService, TimeSpan StartTimeout, bool StreamLogs,
    Ports Ports)
{
    public string DcpPath => Path.Combine(LayoutPath, "dcp", "dcp");

    public string DashboardPath => Path.Combine(LayoutPath, "managed", "aspire-managed");

    /// <exception cref="DistributedApplicationException">A setting has the wrong form.</exception>
    public static RunOptions Read(IConfiguration configuration)
    {
        var ports = new Ports();

        Uri Address(string key, string otherwise)
        {
            var value = configuration[key] is { Length: > 0 } given ? given.Split(';')[0] : otherwise;
            if (!Uri.TryCreate(value, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp || !address.IsLoopback)
                throw new DistributedApplicationException(
                    $"{key} must be an http address of this machine such as {otherwise}, not '{value}'.");
            if (address.Port == 0) return new UriBuilder(address) { Port = ports.Free() }.Uri;
            ports.Keep(address.Port);
            return address;
        }

        var seconds = configuration["Start:TimeoutSeconds"] ?? "180";
        if (!int.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var timeout) || timeout is < 1 or > 3600)
            throw new DistributedApplicationException($"Start__TimeoutSeconds takes a number of seconds from 1 to 3600, not '{seconds}'.");

        return new RunOptions(
            configuration["ASPIRE_LAYOUT_PATH"] ?? "",
            configuration["ASPIRE_DASHBOARD_ENABLED"] == "false" ? null : Address("ASPNETCORE_URLS", "http://localhost:18888"),
            Address("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "http://localhost:18889"),
            Address("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "http://localhost:18890"),
            new IPEndPoint(IPAddress.Loopback, Address("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "http://localhost:18891").Port),
            TimeSpan.FromSeconds(timeout),
            configuration["LIFECYCLE_LOGS"] == "stream",
            ports);
    }
}
