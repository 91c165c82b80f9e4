using System.Text.Json.Nodes;
using Lifecycle.Testing;
using Npgsql;

namespace Nurture.IntegrationTests;

/// <summary>Leads that stand still, for real: each is found, told with its reason, and goes on by itself once it can.</summary>
public sealed class StallTests : IAsyncLifetime
{
    /// <summary>Capture, dead until it is started.</summary>
    private readonly FakePeers capture = new();
    private readonly NurtureFixture fixture;

    public StallTests() => fixture = new()
    {
        Settings = new Dictionary<string, string>
        {
            ["Nurture__StallSeconds"] = "2",
            ["Nurture__WatchSeconds"] = "0.5",
            ["Nurture__HangSeconds"] = "20",
            ["services__capture__grpc__0"] = capture.Address,
        },
    };

    public ValueTask InitializeAsync() => fixture.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await fixture.DisposeAsync();
        await capture.DisposeAsync();
    }

    [Fact]
    public async Task WorkerThatHangs_IsToldAndItsSessionEnded_AndTheLeadGoesOn()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram("""
            {"displayName":"Day","entryTriggers":[{"leadCaptured":{}}],"steps":[{"id":"day","wait":{"duration":"86400s"}},{"id":"won","goal":{}}]}
            """);
        await workspace.Publish(workspace.Captured(Guid.CreateVersion7(), "ada@example.com"));
        await Eventually.Equal("ACTIVE", () => State(workspace, program), "the lead is on its way");
        // What a worker leaves that stops right after it has taken the lead on, with its connection open.
        await fixture.Service.Stop();
        await fixture.Database.Query(
            "update enrollment set due_time = now() - interval '1 minute' where program_id = $1", Guid.Parse(program));
        await using var hanging = await fixture.Database.Application.OpenConnectionAsync();
        await using var transaction = await hanging.BeginTransactionAsync();
        await Execute(hanging, $"select set_config('app.workspace_id', '{workspace.Id}', true)");
        await Execute(hanging, $"select 1 from enrollment where program_id = '{program}' for update");
        // It still does something, for as long as the service needs to start and to tell of it.
        await using var gate = await fixture.Database.Application.OpenConnectionAsync();
        await Execute(gate, "select pg_advisory_lock(1)");
        var working = Execute(hanging, "select pg_advisory_xact_lock(1)");
        await fixture.Service.Start();

        await Eventually.Equal(
            "WORKER_HANGS day 1 0",
            async () => Join(await Stalls(workspace, program), "reason", "stepId", "count", "resumed"),
            "the stall is told");
        Assert.Equal("ACTIVE", await State(workspace, program));

        await Execute(gate, "select pg_advisory_unlock(1)");
        await working;
        await Eventually.Equal("CONVERTED", () => State(workspace, program), "another worker takes the lead on", TimeSpan.FromMinutes(3));
        await Eventually.Equal(
            "day 0 1", async () => Join(await Stalls(workspace, program), "stepId", "count", "resumed"), "it went on");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Execute(hanging, "select 1"));
    }

    [Fact]
    public async Task BatchThatAlwaysFails_TheCulpritIsPutOffWithItsReason_AndTheOthersGoOn()
    {
        fixture.Service.Expect("AdvanceEnrollmentsHandler of workspace");
        fixture.Service.Expect("cannot leave step");
        var workspace = await fixture.NewWorkspace();
        var (culprit, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (culpritAddress, otherAddress) = ($"{culprit:N}@example.com", $"{other:N}@example.com");
        // A server without room: faults of this kind pass, so that the workers by themselves try the whole batch again and again.
        await fixture.Database.Query($"""
            create function no_room() returns trigger language plpgsql as $$ begin raise exception 'no room for it' using errcode = '53100'; end $$;
            """);
        await fixture.Database.Query(
            $"create trigger no_room before insert on message for each row when (new.lead_id = '{culprit}') execute function no_room()");
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Hello","entryTriggers":[{"leadCaptured":{}}],
             "steps":[{"id":"second","wait":{"duration":"1s"}},{"id":"hello","sendEmail":{"emailId":"{{{await workspace.NewEmail("Hello")}}}"}}]}
            """);
        await workspace.Publish(workspace.Captured(culprit, culpritAddress));
        await workspace.Publish(workspace.Captured(other, otherAddress));

        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(otherAddress).Count), "the other one's mail");
        await Eventually.True(
            async () => (await Stalls(workspace, program)).Any(stall => Text(stall!, "reason") == "STEP_FAILS"
                && Text(stall!, "detail").Contains("no room for it", StringComparison.Ordinal) && Text(stall!, "count") == "1"),
            "the culprit is told with its reason");
        Assert.Empty(fixture.Mails.To(culpritAddress));

        await fixture.Database.Query("drop trigger no_room on message");
        await Eventually.Equal(
            1, () => Task.FromResult(fixture.Mails.To(culpritAddress).Count), "the culprit's mail", TimeSpan.FromMinutes(3));
        await Eventually.True(
            async () => (await Stalls(workspace, program)).All(stall => Text(stall!, "count") == "0"), "nothing stands still any more");
        Assert.Single(fixture.Mails.To(otherAddress));
    }

    [Fact]
    public async Task CallToADeadService_IsToldWithItsReason_AndArrivesOnceWhenTheServiceIsBack()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram("""
            {"displayName":"Mark","entryTriggers":[{"leadCaptured":{}}],"steps":[{"id":"mark","updateTrait":{"trait":"plan","value":"pro"}}]}
            """);
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, "ada@example.com"));

        await Eventually.Equal(
            "mark 1", async () => Join(await FailingCalls(workspace, program), "stepId", "count"), "the call is told");
        var stall = Assert.Single(await FailingCalls(workspace, program))!;
        Assert.NotEqual("", Text(stall, "detail"));
        Assert.NotNull(stall["since"]);
        Assert.NotNull(stall["nextTryTime"]);

        await capture.Start();
        await Eventually.Equal(
            0, async () => (await FailingCalls(workspace, program)).Count, "the call has arrived", TimeSpan.FromMinutes(3));
        var update = Assert.Single(capture.Updates.Where(update => update.Id == lead.ToString()).DistinctBy(update => update.RequestId));
        Assert.Equal("pro", update.Traits.Fields["plan"].StringValue);
    }

    private static async Task<JsonArray> Stalls(TestWorkspace workspace, string program)
    {
        var (from, to) = (TestWorkspace.Now.AddDays(-2), TestWorkspace.Now.AddDays(2));
        return (await workspace.Get(
            $"/v1/reports/stalls?from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}&programId={program}"))["stalls"]!.AsArray();
    }

    private static async Task<List<JsonNode?>> FailingCalls(TestWorkspace workspace, string program) =>
        (await Stalls(workspace, program)).Where(stall => Text(stall!, "reason") == "CALL_FAILS").ToList();

    private static async Task<string> State(TestWorkspace workspace, string program) =>
        Join((await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray(), "state");

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private static string Join(IEnumerable<JsonNode?> rows, params string[] fields) =>
        string.Join(", ", rows.Select(row => string.Join(' ', fields.Select(field => Text(row!, field)))));

    private static string Text(JsonNode node, string field) => node[field]?.GetValue<string>() ?? "";
}
