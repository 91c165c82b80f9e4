using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Storage;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>
/// An import with a request id goes on where it was broken off. Thousands of leads make thousands of events: those tests have a service of
/// their own.
/// </summary>
public sealed class ImportResumeTests(CaptureFixture fixture)
{
    private const int Rows = 4_000;
    private static readonly DateTimeOffset Time = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("/v1/leads:import", "email,title\nada@acme.example,CTO\nnobody,CEO\n", "email,title\nada@acme.example,CFO\nnobody,CEO\n")]
    [InlineData(
        "/v1/spend:import", "date,source,amount\n2026-03-01,google,5\n2026-03-01,google,x\n",
        "date,source,amount\n2026-03-01,google,6\n2026-03-01,google,x\n")]
    public async Task Import_SameRequestId_GetsTheFirstAnswerAndAnotherFile409(string path, string file, string other)
    {
        var workspace = fixture.Workspace();

        var first = await Send(workspace, path, file);
        var again = await Send(workspace, path, file);

        Assert.Equal((1, 0, 0, 1), Counts(first.Body));
        Assert.Equal(first.Body.ToJsonString(), again.Body.ToJsonString());
        foreach (var wrong in new[] { other, file + file.Split('\n')[1] + "\n", file[..(file.TrimEnd().LastIndexOf('\n') + 1)] })
        {
            Assert.Equal(HttpStatusCode.Conflict, (await Send(workspace, path, wrong)).Status);
        }

        // Without the id the file is read anew, and changes nothing.
        Assert.Equal((0, 0, 1, 1), Counts(await workspace.Import(path, file)));
    }

    [Fact]
    public async Task Import_DryRunWithARequestId_LeavesTheIdFree()
    {
        var workspace = fixture.Workspace();

        Assert.Equal((1, 0, 0, 0), Counts((await Send(workspace, "/v1/leads:import?dryRun=true", "email\nada@acme.example\n")).Body));
        Assert.Equal((1, 0, 0, 0), Counts((await Send(workspace, "/v1/leads:import", "email\nbob@acme.example\n")).Body));
    }

    [Fact]
    public async Task Import_SecondRequestWhileTheFirstRuns_Is409AndTheFirstGoesOn()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var service = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(Time), "UTC", "USD");
        using var body = new PausedFile(File(0, Rows), Rows / 2);
        var running = Send(workspace, "/v1/leads:import", body);
        await Imported(database, workspace, 1_500);

        var second = await Send(workspace, "/v1/leads:import", File(0, Rows));
        body.GoOn();

        // Whichever commits its next rows first goes on; the other is told so.
        var answers = new[] { second, await running };
        var done = Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Conflict);
        Assert.Equal((Rows, 0, 0, 0), Counts(done.Body));
        Assert.Equal((long)Rows, await database.Scalar<long>("select count(*) from lead where workspace_id = $1", workspace.WorkspaceId));
    }

    [Fact]
    public async Task Import_KilledInTheMiddle_GoesOnAndCountsEachRowOnce()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var service = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(Time), "UTC", "USD");
        using var body = new PausedFile(File(0, Rows), Rows / 2);
        var running = Send(workspace, "/v1/leads:import", body);
        await Imported(database, workspace, 1_500);

        await service.Kill();
        body.GoOn();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => running);
        var kept = await database.Scalar<long>("select count(*) from lead");
        var last = await database.Scalar<DateTime>("select max(update_time) from lead");
        Assert.InRange(kept, 1_500, Rows / 2);
        await service.Start();
        var resumed = await Send(workspace, "/v1/leads:import", File(0, Rows));

        Assert.Equal((HttpStatusCode.OK, (Rows, 0, 0, 0)), (resumed.Status, Counts(resumed.Body)));
        Assert.Equal((long)Rows, await database.Scalar<long>("select count(*) from lead"));
        // What the first attempt made was not even touched by the second.
        Assert.Equal(kept, await database.Scalar<long>("select count(*) from lead where update_time <= $1", last));
    }

    [Fact]
    public async Task Import_ConnectionBroken_KeepsWhatCameAndGoesOn()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var service = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(Time), "UTC", "USD");
        using var body = new PausedFile(File(0, Rows), Rows / 2);
        var running = Send(workspace, "/v1/leads:import", body);
        await Imported(database, workspace, 1_500);

        body.Break();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => running);
        var resumed = await Send(workspace, "/v1/leads:import", File(0, Rows));

        Assert.Equal((Rows, 0, 0, 0), Counts(resumed.Body));
        Assert.Equal((long)Rows, await database.Scalar<long>("select count(*) from lead where workspace_id = $1", workspace.WorkspaceId));
    }

    private static Task Imported(TestDatabase database, CaptureClient workspace, long atLeast) => Eventually.True(
        async () => await database.Scalar<long>("select count(*) from lead where workspace_id = $1", workspace.WorkspaceId) >= atLeast,
        $"{atLeast} rows are imported");

    private static string File(int from, int to) =>
        "email,title\n"
        + string.Concat(Enumerable.Range(from, to - from).Select(index => $"p{index:000000}@acme.example,Engineer {index}\n"));

    private static Task<(HttpStatusCode Status, JsonNode Body)> Send(CaptureClient workspace, string path, string file) =>
        workspace.Send(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"), requestId: "import-1");

    private static Task<(HttpStatusCode Status, JsonNode Body)> Send(CaptureClient workspace, string path, PausedFile body) =>
        workspace.Send(HttpMethod.Post, path, body, requestId: "import-1");

    private static (int Created, int Updated, int Unchanged, int Rejected) Counts(JsonNode answer) =>
        (answer["created"]!.GetValue<int>(), answer["updated"]!.GetValue<int>(), answer["unchanged"]!.GetValue<int>(),
            answer["rejectedCount"]!.GetValue<int>());
}
