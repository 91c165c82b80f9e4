using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lifecycle.Capture.Storage;
using Lifecycle.Testing;
using Npgsql;

namespace Capture.IntegrationTests;

/// <summary>What comes faster than it can be written is refused, and costs no memory beyond a bound.</summary>
public sealed class BackPressureTests
{
    // More than the bytes that may be under way: the batches that wait occupy some of the senders, the others are refused.
    private const int Senders = 200;
    private const int BatchSize = 100;

    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Batch_WritersHeldUp_RefusesInBoundedMemoryAndKeepsWhatItTook()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var service = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await service.Start();
        var workspaceId = Guid.CreateVersion7(Start);
        await new CaptureClient(service, workspaceId, "UTC", "USD").Batch([Messages.Page("d", Messages.At(Start, 0))]);

        // Whoever writes into the workspace waits for this lock.
        await using var holder = await database.Administrator.OpenConnectionAsync();
        await Execute(holder, "select pg_advisory_lock(hashtextextended('capture.leads/' || $1, 0))", workspaceId);
        var (taken, refused) = (new ConcurrentBag<int>(), new ConcurrentBag<RetryConditionHeaderValue?>());
        using var enough = new CancellationTokenSource();
        using var http = new HttpClient();
        var number = 0;
        var senders = Enumerable.Range(0, Senders).Select(async _ =>
        {
            while (!enough.IsCancellationRequested)
            {
                var own = Interlocked.Increment(ref number);
                var (status, retryAfter) = await Send(http, service, workspaceId, own);
                if (status == HttpStatusCode.OK)
                {
                    taken.Add(own);
                }
                else
                {
                    Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
                    refused.Add(retryAfter);
                }
            }
        }).ToArray();
        await Eventually.True(() => Task.FromResult(refused.Count >= 400), "four hundred batches are refused");
        await enough.CancelAsync();
        await Execute(holder, "select pg_advisory_unlock(hashtextextended('capture.leads/' || $1, 0))", workspaceId);
        await Task.WhenAll(senders);

        Assert.NotEmpty(taken);
        Assert.All(refused, Assert.NotNull);
        Assert.Equal(1L + (taken.Count * BatchSize), await database.Scalar<long>("select count(*) from activity"));
        Assert.InRange(PeakMegabytes(service), 0, 300);
    }

    private static async Task<(HttpStatusCode Status, RetryConditionHeaderValue? RetryAfter)> Send(
        HttpClient http, ServiceProcess service, Guid workspaceId, int number)
    {
        var batch = Enumerable.Range(0, BatchSize).Select(index => new
        {
            type = "page",
            messageId = $"m{number}-{index}",
            anonymousId = $"d{number}-{index / 5}",
            timestamp = Start.AddSeconds(index).ToString("O", CultureInfo.InvariantCulture),
            context = new { page = new { url = $"https://www.acme.example/{index}", title = new string('t', 200) } },
            properties = new { text = new string('x', 2000) },
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(service.Http, "/v1/batch"))
        {
            Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(new { batch }))
            {
                Headers = { ContentType = new("application/json") }
            },
        };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspaceId, "UTC", "USD", []));
        using var response = await http.SendAsync(request);
        return (response.StatusCode, response.Headers.RetryAfter);
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, Guid workspaceId)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = workspaceId.ToString() } } };
        await command.ExecuteNonQueryAsync();
    }

    private static double PeakMegabytes(ServiceProcess process) =>
        File.ReadLines($"/proc/{process.Id}/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024
                / 1e6).Single();
}
