using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Lifecycle.EndToEndTests;

/// <summary>The sample subscriber in its own process, with a queue of its own.</summary>
public sealed class StageChangeSubscriber : IDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<JsonNode> changes = [];

    private StageChangeSubscriber(Process process) => this.process = process;

    public IReadOnlyCollection<JsonNode> Changes => changes;

    public static async Task<StageChangeSubscriber> Start(RunningSuite suite)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var library = Path.Combine(
            Repository.Root, "samples", "StageChangeSubscriber", "bin", configuration, "net10.0", "StageChangeSubscriber.dll");
        var start = new ProcessStartInfo("dotnet", [library]) { RedirectStandardOutput = true };
        start.Environment["ConnectionStrings__rabbitmq"] = suite.Broker;
        var process = Process.Start(start)!;
        var subscriber = new StageChangeSubscriber(process);
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is { Length: > 0 } line)
            {
                subscriber.changes.Enqueue(JsonNode.Parse(line)!);
            }
        };
        process.BeginOutputReadLine();
        await Eventually.True("the subscriber's queue", () => Consumes(suite));
        return subscriber;
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    /// <summary>Whether the queue is there with its consumer; what is published before is not for it.</summary>
    private static async Task<bool> Consumes(RunningSuite suite)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(suite.BrokerManagement, "/api/queues/%2F/samples.stage-changes"));
        var user = new Uri(suite.Broker).UserInfo;
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));
        using var response = await http.SendAsync(request);
        return response.IsSuccessStatusCode && JsonNode.Parse(await response.Content.ReadAsStringAsync())!.Number("consumers") > 0;
    }
}
