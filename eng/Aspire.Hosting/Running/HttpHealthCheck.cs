using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Running;

/// <summary>Healthy while a GET is answered with the expected status.</summary>
internal sealed class HttpHealthCheck(EndpointReference endpoint, string path, int statusCode) : IHealthCheck
{
    private const int ShownCharacters = 300;
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            using var response = await Http.GetAsync(new Uri(new Uri(endpoint.Url), path), cancellationToken);
            if ((int)response.StatusCode == statusCode) return HealthCheckResult.Healthy();
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            var shown = body[..Math.Min(body.Length, ShownCharacters)];
            return HealthCheckResult.Unhealthy($"{path} answered {(int)response.StatusCode} {shown}");
        }
        catch (HttpRequestException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"{path} gave no answer in {Http.Timeout.TotalSeconds} s");
        }
    }
}
