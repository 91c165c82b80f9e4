using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting.Running;

namespace Aspire.Hosting.Dcp;

/// <summary>The orchestrator's state of one process.</summary>
/// <param name="State">Empty, Starting, Running, Stopping, Terminated, Finished, FailedToStart or Unknown.</param>
internal sealed record DcpExecutable(string Name, string State, int? ProcessId, int? ExitCode);

/// <summary>One connection target of a proxy.</summary>
internal sealed record DcpProducer(string ServiceName, int Port);

/// <summary>The orchestrator's REST API: Kubernetes' conventions, on loopback.</summary>
internal sealed class DcpClient : IDisposable
{
    private const string Version = "usvc-dev.developer.microsoft.com/v1";
    private readonly HttpClient _http;

    public DcpClient(DcpConfig config)
    {
        var authority = X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(config.Authority));
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        _http = new HttpClient(handler) { BaseAddress = config.Server, Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", config.Token);
    }

    public void Dispose() => _http.Dispose();

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(Path("executables"), cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public Task CreateExecutableAsync(
        string name, LaunchSpec launch, IReadOnlyList<DcpProducer> producers, CancellationToken cancellationToken)
    {
        var annotations = new JsonObject();
        if (producers.Count > 0)
        {
            var array = producers.Select(p => new { serviceName = p.ServiceName, port = p.Port, address = "127.0.0.1" });
            annotations["service-producer"] = JsonSerializer.Serialize(array);
        }

        return CreateAsync("executables", "Executable", name, annotations, new JsonObject
        {
            ["executablePath"] = launch.Path,
            ["workingDirectory"] = launch.WorkingDirectory,
            ["args"] = new JsonArray([.. launch.Arguments.Select(a => JsonValue.Create(a))]),
            ["env"] = new JsonArray([.. launch.Environment.Select(v => new JsonObject { ["name"] = v.Key, ["value"] = v.Value })]),
        }, cancellationToken);
    }

    /// <summary>Makes a proxy that listens on a port and spreads connections over the processes that produce it.</summary>
    public Task CreateServiceAsync(string name, int port, CancellationToken cancellationToken) =>
        CreateAsync("services", "Service", name, [], new JsonObject
        {
            ["protocol"] = "TCP",
            ["address"] = "127.0.0.1",
            ["port"] = port,
            ["addressAllocationMode"] = "Localhost",
        }, cancellationToken);

    /// <summary>Asks a process to stop: SIGTERM, and SIGKILL when it does not.</summary>
    public Task StopExecutableAsync(string name, CancellationToken cancellationToken) =>
        PatchAsync(Path($"executables/{name}"), new JsonObject { ["spec"] = new JsonObject { ["stop"] = true } }, cancellationToken);

    public async Task DeleteExecutableAsync(string name, CancellationToken cancellationToken)
    {
        using var response = await _http.DeleteAsync(Path($"executables/{name}"), cancellationToken);
        if (response.StatusCode != HttpStatusCode.NotFound) await EnsureSuccessAsync(response, cancellationToken);
    }

    /// <summary>Asks the orchestrator to stop everything and end.</summary>
    public Task StopServerAsync(CancellationToken cancellationToken) =>
        PatchAsync("/admin/execution", new JsonObject { ["status"] = "Stopping", ["shutdownResourceCleanup"] = "Full" }, cancellationToken);

    /// <summary>The state of every process, and every change of it; ends when the orchestrator closes the connection.</summary>
    public async IAsyncEnumerable<DcpExecutable> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var line in LinesAsync("executables?watch=true", cancellationToken))
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.GetProperty("type").GetString() is not ("ADDED" or "MODIFIED")) continue;
            var item = document.RootElement.GetProperty("object");
            var status = item.GetProperty("status");
            yield return new DcpExecutable(
                item.GetProperty("metadata").GetProperty("name").GetString()!,
                Optional(status, "state")?.GetString() ?? "",
                Optional(status, "pid")?.GetInt32(),
                Optional(status, "exitCode")?.GetInt32());
        }
    }

    /// <summary>A process's output with the time before each line, from its start to its end.</summary>
    /// <param name="name">The executable.</param>
    /// <param name="source">stdout, stderr or system: the orchestrator's own words on it.</param>
    /// <param name="follow">Whether to wait for more until the process has ended.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public IAsyncEnumerable<string> LogAsync(string name, string source, bool follow, CancellationToken cancellationToken) =>
        LinesAsync($"executables/{name}/log?source={source}&timestamps=true&follow={(follow ? "true" : "false")}", cancellationToken);

    private static string Path(string resource) => $"/apis/{Version}/{resource}";

    private static JsonElement? Optional(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private async IAsyncEnumerable<string> LinesAsync(string resource, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(Path(resource), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await EnsureSuccessAsync(response, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0) yield return line;
        }
    }

    private async Task CreateAsync(
        string collection, string kind, string name, JsonObject annotations, JsonObject spec, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["apiVersion"] = Version,
            ["kind"] = kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["annotations"] = annotations },
            ["spec"] = spec,
        };
        using var response = await _http.PostAsJsonAsync(Path(collection), body, cancellationToken);
        await EnsureSuccessAsync(response, cancellationToken);
    }

    private async Task PatchAsync(string path, JsonObject patch, CancellationToken cancellationToken)
    {
        using var content = new StringContent(patch.ToJsonString(), Encoding.UTF8, "application/merge-patch+json");
        using var response = await _http.PatchAsync(path, content, cancellationToken);
        await EnsureSuccessAsync(response, cancellationToken);
    }

    private static async Task EnsureSuccessAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode) return;
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        var request = response.RequestMessage;
        throw new HttpRequestException(
            $"{request?.Method} {request?.RequestUri?.AbsolutePath} answered {(int)response.StatusCode}: {body}");
    }
}
