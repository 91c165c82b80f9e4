using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Lifecycle.Testing;

/// <summary>A RabbitMQ virtual host of its own for a test; deleted when disposed.</summary>
public sealed class TestVirtualHost : IAsyncDisposable
{
    private readonly HttpClient management;

    private TestVirtualHost(HttpClient management, string name) => (this.management, Name) = (management, name);

    public string Name { get; }

    /// <summary><c>amqp://user:password@host:port/vhost</c>, as a service is given it.</summary>
    public string ConnectionString => new Uri(TestServers.RabbitMq, Name).ToString();

    public static async Task<TestVirtualHost> Create()
    {
        var address = TestServers.RabbitMqManagement;
        var user = Uri.UnescapeDataString(address.UserInfo);
        var management = new HttpClient { BaseAddress = new UriBuilder(address) { UserName = "", Password = "" }.Uri };
        management.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));
        var host = new TestVirtualHost(management, $"test-{Guid.CreateVersion7():N}");
        await host.Send(HttpMethod.Put, $"/api/vhosts/{host.Name}", new { });
        var client = Uri.UnescapeDataString(TestServers.RabbitMq.UserInfo.Split(':')[0]);
        await host.Send(HttpMethod.Put, $"/api/permissions/{host.Name}/{client}", new { configure = ".*", write = ".*", read = ".*" });
        return host;
    }

    /// <summary>
    /// Messages in a queue, ready and unacknowledged, as the broker counted them last (every few seconds); null without such a queue.
    /// </summary>
    public async Task<long?> QueueLength(string queue)
    {
        using var response = await management.GetAsync($"/api/queues/{Name}/{Uri.EscapeDataString(queue)}");
        return response.IsSuccessStatusCode
            ? (await response.Content.ReadFromJsonAsync<JsonObject>())?["messages"]?.GetValue<long>() ?? 0
            : null;
    }

    /// <summary>Takes up to <paramref name="count"/> messages out of a queue: their payloads.</summary>
    public async Task<IReadOnlyList<string>> Take(string queue, int count = 1000)
    {
        var body = await Send(HttpMethod.Post, $"/api/queues/{Name}/{Uri.EscapeDataString(queue)}/get", new
        {
            count,
            ackmode = "ack_requeue_false",
            encoding = "auto",
        });
        return [.. JsonNode.Parse(body)!.AsArray().Select(message => message!["payload"]!.GetValue<string>())];
    }

    /// <summary>Closes every connection of this virtual host from the broker's side, as a restart of the broker does.</summary>
    /// <param name="of">Which, by the name that the client gave; null: all.</param>
    /// <returns>How many.</returns>
    public async Task<int> CloseConnections(Func<string?, bool>? of = null)
    {
        var connections = JsonNode.Parse(await Send(HttpMethod.Get, $"/api/vhosts/{Name}/connections", null))!.AsArray()
            .Where(connection => of is null || of(connection!["user_provided_name"]?.GetValue<string>())).ToArray();
        foreach (var connection in connections)
        {
            using var _ = await management.DeleteAsync($"/api/connections/{Uri.EscapeDataString(connection!["name"]!.GetValue<string>())}");
        }

        return connections.Length;
    }

    public async ValueTask DisposeAsync()
    {
        await Send(HttpMethod.Delete, $"/api/vhosts/{Name}", null);
        management.Dispose();
    }

    private async Task<string> Send(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        // The management API wants a length, not chunks.
        if (request.Content is { } content)
        {
            await content.LoadIntoBufferAsync();
        }

        using var response = await management.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }
}
