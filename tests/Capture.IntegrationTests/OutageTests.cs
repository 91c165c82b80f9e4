using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Storage;
using Lifecycle.Testing;
using Npgsql;

namespace Capture.IntegrationTests;

/// <summary>What was acknowledged outlives Postgres, and what cannot be taken is refused with a time to come back.</summary>
public sealed class OutageTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Batch_PostgresKilledInTheMiddle_LosesNothingAcknowledgedAndDoublesNothing()
    {
        await using var server = await TestPostgres.Start();
        await using var broker = await TestVirtualHost.Create();
        var environment = new Dictionary<string, string>
        {
            ["ConnectionStrings__lifecycle"] = server.AdministratorConnectionString,
            ["ConnectionStrings__rabbitmq"] = broker.ConnectionString,
            ["Lifecycle__IdentitySecret"] = IdentityTokens.Secret,
            ["Lifecycle__DatabasePassword"] = TestDatabase.RolePassword,
            ["Logging__LogLevel__Default"] = "Information",
        };
        await using (var migration = ServiceProcess.Create("Capture", environment))
        {
            Assert.Equal(0, await migration.RunToEnd("--migrate"));
        }

        await using var service = ServiceProcess.Create(
            "Capture",
            new Dictionary<string, string>(environment) { ["ConnectionStrings__lifecycle"] = server.ConnectionString("capture") });
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(Start), "UTC", "USD");
        var batches = Enumerable.Range(0, 60).Select(Batch).ToArray();

        var sending = batches.Select(batch => workspace.Post("/v1/batch", new { batch })).ToArray();
        await Eventually.True(async () => await server.Scalar<long>("select count(*) from capture.activity") > 0, "the first commit");
        await server.Kill();
        var statuses = (await Task.WhenAll(sending)).Select(answer => answer.Status).ToArray();
        await server.Restart();

        Assert.All(statuses, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{status}"));
        for (var index = 0; index < batches.Length; index++)
        {
            var key = MessageReader.Key(workspace.WorkspaceId, $"m{index}-19");
            var isKept = await server.Scalar<long>($"select count(*) from capture.message where key = '{key}'") == 1;
            Assert.True(isKept || statuses[index] != HttpStatusCode.OK, $"Batch {index} was acknowledged and is lost.");
        }

        // The service finds the server again by itself.
        foreach (var batch in batches)
        {
            await Eventually.Equal(
                HttpStatusCode.OK, async () => (await workspace.Post("/v1/batch", new { batch })).Status, "the batch is taken");
        }

        Assert.Equal(1200L, await server.Scalar<long>("select count(*) from capture.activity"));
        Assert.Equal(1200L, await server.Scalar<long>("select sum(activities) from capture.session"));
        Assert.Equal(1200L, await server.Scalar<long>("select count(*) from capture.message"));
    }

    [Fact]
    public async Task Batch_QueueIsFull_IsRefusedWithRetryAfterAndWhatWasTakenIsStored()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        var environment = ServiceEnvironment.For(database, broker);
        environment["Capture__MaxQueuedMessages"] = "200";
        environment["Capture__MaxCommitMessages"] = "100";
        await using var service = ServiceProcess.Create("Capture", environment);
        await service.Start();
        var workspaceId = Guid.CreateVersion7(Start);
        using var client = new HttpClient { BaseAddress = service.Http };
        client.DefaultRequestHeaders.Add("x-lifecycle-identity", IdentityTokens.Issue(workspaceId));

        // Somebody holds the workspace: no commit can end.
        var holder = await database.Administrator.OpenConnectionAsync();
        await using (var hold = new NpgsqlCommand($"select pg_advisory_lock(hashtextextended('capture.leads/{workspaceId}', 0))", holder))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var sending = Enumerable.Range(0, 50).Select(index => client.PostAsJsonAsync("/v1/batch", new { batch = Batch(index) })).ToArray();
        var refused = await await Task.WhenAny(sending);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        await Eventually.True(
            () => Task.FromResult(sending.Count(task => task.IsCompleted) >= 35), "all beyond the bound are refused at once");

        await using (var release = new NpgsqlCommand("select pg_advisory_unlock_all()", holder))
        {
            await release.ExecuteNonQueryAsync();
        }

        await holder.DisposeAsync();
        var answers = await Task.WhenAll(sending);
        var accepted = 0L;
        foreach (var answer in answers.Where(answer => answer.IsSuccessStatusCode))
        {
            accepted += JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["accepted"]!.GetValue<long>();
        }

        Assert.InRange(accepted, 20, 200);
        Assert.Equal(accepted, await database.Scalar<long>("select count(*) from activity"));
    }

    private static object[] Batch(int index) =>
        Enumerable.Range(0, 20)
            .Select(step => Messages.Page($"d{index}", Messages.At(Start, (index * 60) + step), id: $"m{index}-{step}")).ToArray();
}
