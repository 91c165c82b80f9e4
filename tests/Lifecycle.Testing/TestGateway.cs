using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Lifecycle.Testing;

/// <summary>
/// The real gateway as a process on a database of its own, before services that a test starts; every other service is down. Its address is
/// known before it runs, so that services can be told of it.
/// </summary>
public sealed class TestGateway : IAsyncDisposable
{
    private const string AdministratorKey = "the-administrators-key-of-the-tests";
    private static readonly string[] Services = ["capture", "scoring", "nurture", "conversion", "retention"];

    private readonly int[] ports = FreePorts.Find(3);
    private readonly HttpClient http = new(new HttpClientHandler { AllowAutoRedirect = false });
    private readonly TestDatabase database;
    private readonly TestVirtualHost broker;
    private ServiceProcess? process;

    /// <param name="database">Migrated, of the schema <c>gateway</c>; it goes with the gateway.</param>
    /// <param name="broker">The services' virtual host.</param>
    public TestGateway(TestDatabase database, TestVirtualHost broker)
    {
        (this.database, this.broker) = (database, broker);
        http.BaseAddress = new Uri($"http://127.0.0.1:{ports[0]}");
    }

    /// <summary>Where it answers REST.</summary>
    public Uri Address => http.BaseAddress!;

    /// <summary>Address of a service that is down.</summary>
    public string Nobody => $"http://127.0.0.1:{ports[2]}";

    /// <summary>Starts it before the services, which may start at the same time.</summary>
    public Task Start(params IReadOnlyCollection<ServiceProcess> services)
    {
        var environment = ServiceEnvironment.For(database, broker);
        environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
        environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
        environment["LIFECYCLE_ADMIN_KEY"] = AdministratorKey;
        foreach (var service in Services)
        {
            var started = services.SingleOrDefault(one => string.Equals(one.Name, service, StringComparison.OrdinalIgnoreCase));
            environment[$"services__{service}__grpc__0"] = started?.Grpc.ToString() ?? Nobody;
        }

        process = ServiceProcess.Create("Gateway", environment);
        return process.Start();
    }

    /// <summary>A workspace in UTC and USD, and a secret key of it.</summary>
    public async Task<GatewayClient> NewWorkspace(params string[] scopes)
    {
        var made = await new GatewayClient(this, Guid.Empty, AdministratorKey).Post(
            "/v1/workspaces", new { displayName = "Acme", timeZone = "UTC", currencyCode = "USD" });
        var id = Guid.Parse((string)made["id"]!);
        return new(this, id, await NewKey(id, "SECRET", scopes));
    }

    /// <summary>A further key of a workspace.</summary>
    public async Task<string> NewKey(Guid workspaceId, string kind, params string[] scopes) =>
        (string)(await new GatewayClient(this, workspaceId, AdministratorKey).Post("/v1/keys", new { workspaceId, kind, scopes }))["key"]!;

    /// <summary>Follows a public link as this program; the answer's status and where it leads.</summary>
    public async Task<(int Status, string? Location)> Follow(Uri url, string userAgent, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        using var response = await http.SendAsync(request);
        return ((int)response.StatusCode, response.Headers.Location?.OriginalString);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (process is not null)
        {
            await process.DisposeAsync();
        }

        await database.DisposeAsync();
    }

    internal Task<HttpResponseMessage> Send(HttpRequestMessage request) => http.SendAsync(request);
}

/// <summary>An answer by REST, read whole.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Media">Media type; empty without a body.</param>
/// <param name="Body">Body as text.</param>
public sealed record RestAnswer(int Status, string Media, string Body)
{
    public JsonNode Json => Body.Length == 0 ? new JsonObject() : JsonNode.Parse(Body)!;
}

/// <summary>Calls by REST through the gateway with one key.</summary>
public sealed class GatewayClient(TestGateway gateway, Guid workspaceId, string key)
{
    public Guid WorkspaceId => workspaceId;

    /// <summary>Any answer.</summary>
    /// <param name="method">Method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">Text as it is, content, or what is sent as JSON.</param>
    /// <param name="media">Media type of a text.</param>
    /// <param name="accept">Media type asked for.</param>
    /// <param name="requestId">Idempotency key.</param>
    public async Task<RestAnswer> Call(
        HttpMethod method, string path, object? body = null, string media = "application/json", string accept = "application/json",
        string? requestId = null)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body switch
            {
                null => null,
                HttpContent content => content,
                string text => new StringContent(text, Encoding.UTF8, media),
                _ => JsonContent.Create(body),
            },
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Accept.ParseAdd(accept);
        if (requestId is not null)
        {
            request.Headers.Add("Idempotency-Key", requestId);
        }

        using var response = await gateway.Send(request);
        return new(
            (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync());
    }

    /// <summary>The JSON of an answer with the status.</summary>
    /// <exception cref="InvalidOperationException">It has another one.</exception>
    public async Task<JsonNode> Ask(
        HttpMethod method, string path, object? body = null, string media = "application/json", int status = 200)
    {
        var answer = await Call(method, path, body, media);
        return answer.Status == status
            ? answer.Json
            : throw new InvalidOperationException($"{method} {path}: {answer.Status} {answer.Body}");
    }

    public Task<JsonNode> Get(string path) => Ask(HttpMethod.Get, path);

    public Task<JsonNode> Post(string path, object? body = null) => Ask(HttpMethod.Post, path, body ?? "{}");

    public Task<JsonNode> Put(string path, object body) => Ask(HttpMethod.Put, path, body);

    /// <summary>The text of a table.</summary>
    /// <exception cref="InvalidOperationException">The answer is none.</exception>
    public async Task<string> Csv(string path, HttpMethod? method = null, object? body = null)
    {
        var answer = await Call(method ?? HttpMethod.Get, path, body, accept: "text/csv");
        return answer is { Status: 200, Media: "text/csv" } ? answer.Body : throw new InvalidOperationException($"{path}: {answer}");
    }
}
