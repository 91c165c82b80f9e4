using Aspire.Hosting.Running;

namespace Aspire.Hosting.Dashboard;

/// <summary>How the Aspire dashboard is started: without log-in, for it listens on loopback addresses only.</summary>
internal static class DashboardProcess
{
    public const string Name = "aspire-dashboard";

    public static LaunchSpec Launch(RunOptions options, Uri dashboard, string home) => new(
        options.DashboardPath,
        ["dashboard"],
        Path.GetDirectoryName(options.DashboardPath)!,
        [
            new("ASPNETCORE_URLS", Text(dashboard)),
            new("ASPNETCORE_ENVIRONMENT", "Production"),
            new("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", Text(options.OtlpGrpc)),
            new("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", Text(options.OtlpHttp)),
            new("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", $"http://{options.ResourceService}"),
            new("DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE", "Unsecured"),
            new("DASHBOARD__OTLP__SUPPRESSUNSECUREDMESSAGE", "true"),
            new("ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS", "true"),
            new("ASPIRE_DASHBOARD_TELEMETRY_OPTOUT", "true"),
            new("ASPIRE_VERSION_CHECK_DISABLED", "true"),
            new("HOME", home),
        ]);

    private static string Text(Uri address) => address.GetLeftPart(UriPartial.Authority);
}
