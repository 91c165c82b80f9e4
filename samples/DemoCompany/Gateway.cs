using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DemoCompany;

/// <summary>What went wrong, in one sentence for the person at the console.</summary>
internal sealed class GatewayException(string message, string code = "") : Exception(message)
{
    /// <summary>The problem's code, e.g. <c>ALREADY_EXISTS</c>.</summary>
    public string Code => code;

    /// <summary>The call came too late: what it asks for is done, or is no longer possible.</summary>
    public bool IsOvertaken => code is "ALREADY_EXISTS" or "FAILED_PRECONDITION" or "ABORTED";
}

/// <summary>
/// The public API with one key. Waits and repeats as the gateway asks; what is written carries ids of its own, so that repeating is safe.
/// </summary>
internal sealed class Gateway(Uri address, string key, TimeProvider time) : IDisposable
{
    private const int MaxAttempts = 40;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly HttpClient http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromSeconds(100),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
    };

    public Task<JsonNode> Get(string path, CancellationToken ct) => Send(HttpMethod.Get, path, null, "", "", ct);

    /// <param name="id">Idempotency key; the same in every run, so that what was done stays done once.</param>
    public Task<JsonNode> Post(string path, object body, string id, CancellationToken ct) =>
        Send(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, Json), "application/json", id, ct);

    /// <summary>Puts the body, unless an earlier run has done so.</summary>
    public Task<JsonNode?> Put(string path, JsonNode body, string id, CancellationToken ct) => UnlessOvertaken(() =>
        Send(HttpMethod.Put, path, Encoding.UTF8.GetBytes(body.ToJsonString()), "application/json", id, ct));

    /// <summary>As <see cref="Post"/>; null where the call is overtaken by what was done before.</summary>
    public Task<JsonNode?> Try(string path, object body, string id, CancellationToken ct) =>
        UnlessOvertaken(() => Post(path, body, id, ct));

    private static async Task<JsonNode?> UnlessOvertaken(Func<Task<JsonNode>> call)
    {
        try
        {
            return await call();
        }
        catch (GatewayException refused) when (refused.IsOvertaken)
        {
            return null;
        }
    }

    public Task<JsonNode> Ingest(byte[] batch, CancellationToken ct) =>
        Send(HttpMethod.Post, "/v1/batch", batch, "application/json", "", ct);

    /// <summary>Imports CSV; fails when a row is refused.</summary>
    public async Task<JsonNode> Import(string path, string csv, CancellationToken ct)
    {
        var answer = await Send(HttpMethod.Post, path, Encoding.UTF8.GetBytes(csv), "text/csv", "", ct);
        return answer["rejected"] is JsonArray { Count: > 0 } rejected
            ? throw new GatewayException($"{path} refused rows, the first being {rejected[0]!.ToJsonString()}.")
            : answer;
    }

    /// <summary>All items of a list, page by page.</summary>
    public async Task<List<JsonNode>> List(string path, string field, CancellationToken ct)
    {
        var items = new List<JsonNode>();
        var first = $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}pageSize=1000";
        for (var token = ""; ;)
        {
            var page = await Get($"{first}&pageToken={Uri.EscapeDataString(token)}", ct);
            items.AddRange((page[field]?.AsArray() ?? []).Select(item => item!));
            token = page.Text("nextPageToken");
            if (token.Length == 0)
            {
                return items;
            }
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<JsonNode> Send(HttpMethod method, string path, byte[]? body, string contentType, string id, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
            {
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new(contentType) } };
            }

            if (id.Length > 0)
            {
                request.Headers.Add("Idempotency-Key", id);
            }

            TimeSpan pause;
            try
            {
                using var response = await http.SendAsync(request, ct);
                if (response.IsSuccessStatusCode)
                {
                    return await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(ct), cancellationToken: ct)
                        ?? new JsonObject();
                }

                if (!IsPassing(response.StatusCode) || attempt == MaxAttempts)
                {
                    throw await Refusal(method, path, response, ct);
                }

                pause = response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1);
            }
            catch (HttpRequestException fault)
            {
                // The first call tells whether there is a gateway at all: nobody waits for one that was never started.
                pause = attempt < 8 && method != HttpMethod.Get ? TimeSpan.FromSeconds(attempt) : throw Unreachable(fault.Message);
            }
            catch (TaskCanceledException) when (!ct.IsCancellationRequested)
            {
                pause = attempt < 3 ? TimeSpan.FromSeconds(1) : throw Unreachable("no answer in time");
            }

            await Task.Delay(pause, time, ct);
        }
    }

    private static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway
            or HttpStatusCode.GatewayTimeout;

    private GatewayException Unreachable(string why) =>
        new($"No gateway answers at {address} ({why}); start it with ./up, or name another with --gateway.");

    private static async Task<GatewayException> Refusal(HttpMethod method, string path, HttpResponseMessage response, CancellationToken ct)
    {
        var text = await response.Content.ReadAsStringAsync(ct);
        if (response.StatusCode is HttpStatusCode.Unauthorized)
        {
            return new("The gateway does not know the key; give the one that ./up prints.", "UNAUTHENTICATED");
        }

        try
        {
            var problem = JsonNode.Parse(text);
            var errors = string.Join(' ', (problem?["errors"]?.AsArray() ?? []).Select(error => error?.Text("message")));
            return new(
                $"{method} {path} was refused with {(int)response.StatusCode}: {problem?.Text("detail")} {errors}".TrimEnd(),
                problem?.Text("code") ?? "");
        }
        catch (JsonException)
        {
            return new($"{method} {path} was refused with {(int)response.StatusCode}.");
        }
    }
}

/// <summary>Reading of answers: proto3 JSON leaves out what is empty and writes 64-bit integers as text.</summary>
internal static class Answers
{
    public static string Text(this JsonNode node, string name) =>
        node[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static double Number(this JsonNode node, string name) => node[name] switch
    {
        JsonValue value when value.TryGetValue<double>(out var number) => number,
        JsonValue value when value.TryGetValue<string>(out var text) => double.Parse(text, CultureInfo.InvariantCulture),
        _ => 0,
    };

    public static DateTimeOffset Time(this JsonNode node, string name) =>
        DateTimeOffset.Parse(node.Text(name), CultureInfo.InvariantCulture);
}
