using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lifecycle.EndToEndTests;

/// <summary>A client of the gateway's REST interface, as a partner's program would be.</summary>
public sealed class Api(Uri gateway, string? key) : IDisposable
{
    // Who asks before sending a large body waits for the answer, however late: a refusal closes the connection under a body that is sent
    // all the same.
    private readonly HttpClient http = new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(60) })
    {
        BaseAddress = gateway,
        Timeout = TimeSpan.FromSeconds(60),
    };

    public Task<JsonNode> Get(string path) => Expect(HttpMethod.Get, path, null, HttpStatusCode.OK);

    public Task<JsonNode> Post(string path, object? body = null) => Expect(HttpMethod.Post, path, Json(body ?? new { }), HttpStatusCode.OK);

    public Task<JsonNode> Put(string path, object body) => Expect(HttpMethod.Put, path, Json(body), HttpStatusCode.OK);

    public Task<JsonNode> Delete(string path) => Expect(HttpMethod.Delete, path, null, HttpStatusCode.OK);

    public Task<JsonNode> Import(string path, string contentType, string text) =>
        Expect(HttpMethod.Post, path, new StringContent(text, Encoding.UTF8, contentType), HttpStatusCode.OK);

    public async Task<(HttpStatusCode Status, JsonNode? Body, HttpResponseMessage Response)> Send(
        HttpMethod method, string path, HttpContent? content = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        // A large body is refused by its length before it is sent, as curl asks, too.
        request.Headers.ExpectContinue = content?.Headers.ContentLength > 1024 * 1024;
        if (key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        change?.Invoke(request);
        var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return (response.StatusCode, isJson && text.Length > 0 ? JsonNode.Parse(text) : null, response);
    }

    public static StringContent Json(object body) => Raw(JsonSerializer.Serialize(body, JsonSerializerOptions.Web));

    public static StringContent Raw(string json) => new(json, Encoding.UTF8, "application/json");

    public void Dispose() => http.Dispose();

    private async Task<JsonNode> Expect(HttpMethod method, string path, HttpContent? content, HttpStatusCode expected)
    {
        var (status, body, _) = await Send(method, path, content);
        Assert.True(status == expected, $"{method} {path}: {(int)status} {body?.ToJsonString()}");
        return body!;
    }
}
