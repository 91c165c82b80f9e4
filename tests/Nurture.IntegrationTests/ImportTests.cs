using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Files of people go straight into programs.</summary>
public sealed class ImportTests(NurtureFixture fixture)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Import_KnownAndUnknownPeople_EnterOnceAndFaultsAreToldByLine()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram(
            """{"displayName":"Fair","entryTriggers":[{"manual":{}}],"exitOnStages":["SQL"],"steps":[{"id":"year","wait":{"duration":"8640000s"}}]}""");
        var (run, known, sold) = (Guid.CreateVersion7().ToString("N"), Guid.CreateVersion7(), Guid.CreateVersion7());
        await workspace.Publish(workspace.Captured(known, $"known.{run}@example.com"));
        await workspace.Publish(workspace.Captured(sold, $"sold.{run}@example.com"));
        await workspace.Publish(workspace.Moved(sold, "LEAD", "SQL", "ACCEPTED", 2));
        await Eventually.Equal(
            2L,
            () => fixture.Database.Scalar<long>(
                "select count(*) from lead where workspace_id = $1 and profile_version > 0 and (stage = 'SQL' or lead_id = $2)",
                workspace.Id, known),
            "both are known",
            Deadline);
        var file = $"""
            email,leadId,title,createTime
            Known.{run}@example.com,,,
            new.{run}@example.com,,VP,
            ,{known},,
            new.{run}@Example.com,,VP,
            sold.{run}@example.com,,,
            nobody,,,
            late.{run}@example.com,,,soon
            ,,Nobody,
            ,{Guid.CreateVersion7()},,

            """;

        var dry = await Import(workspace, program, file, "?dryRun=true");
        Assert.Empty(await Enrollments(workspace, program));
        Assert.DoesNotContain($"new.{run}@example.com", fixture.Peers.LeadIds.Keys);
        var answer = await Import(workspace, program, file);

        Assert.Equal(
            "created 2, unchanged 2, rejected 6: at SQL, 7: email is no, 8: createTime must, 9: leadId, email, 10: No lead is",
            Told(answer));
        // To a dry run the same new person twice is two.
        Assert.Equal(
            "created 3, unchanged 1, rejected 6: at SQL, 7: email is no, 8: createTime must, 9: leadId, email, 10: No lead is", Told(dry));
        var lead = fixture.Peers.LeadIds[$"new.{run}@example.com"];
        Assert.All(
            fixture.Peers.Imported.Where(row => row["email"]!.GetValue<string>() == $"new.{run}@example.com"),
            row => Assert.Equal("VP", row["title"]!.GetValue<string>()));
        Assert.Equal($"{known} IMPORT", string.Join(' ', await Enrollments(workspace, program)));

        await workspace.Publish(workspace.Captured(lead, $"new.{run}@example.com", captureType: "IMPORT"));

        await Eventually.Equal(
            string.Join(' ', new[] { known, lead }.Select(id => $"{id} IMPORT").Order(StringComparer.Ordinal)),
            async () => string.Join(' ', await Enrollments(workspace, program)),
            "the new one enters with its profile",
            Deadline);
        Assert.Equal("created 0, unchanged 4", Told(await Import(workspace, program, file)).Split(", rejected")[0]);
        Assert.Equal(0L, await Pending(workspace));
    }

    [Fact]
    public async Task Import_Twice_IsResumableByItsRequestId()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram(
            """{"displayName":"Fair","entryTriggers":[{"manual":{}}],"steps":[{"id":"year","wait":{"duration":"8640000s"}}]}""");
        var run = Guid.CreateVersion7().ToString("N");

        var (resumed, again, another) = await ResumedImport.Run(
            fixture.Service.Http, IdentityTokens.Issue(workspace.Id, "UTC", "USD", []),
            $"/v1/programs/{program}/enrollments:import", "email", row => $"p{row}.{run}@example.com", 1_300, () => Pending(workspace));

        Assert.Equal((1_300, 0), (resumed["created"]!.GetValue<int>(), resumed["rejectedCount"]!.GetValue<int>()));
        Assert.Equal(resumed.ToJsonString(), again.ToJsonString());
        Assert.Equal(HttpStatusCode.Conflict, another);
        Assert.Equal(1_300L, await Pending(workspace));
    }

    [Fact]
    public async Task Import_BeforeTheProfile_WaitsThroughPauseMergeAndErasure()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram("""
            {"displayName":"Carts","entryTriggers":[{"event":{"name":"Added"}}],"reentry":"PER_KEY","reentryKey":"cart",
             "steps":[{"id":"go","wait":{"duration":"8640000s"}}]}
            """);
        var run = Guid.CreateVersion7().ToString("N");
        var names = new[] { "paused", "merged", "erased" }.Select(name => $"{name}.{run}@example.com").ToList();
        var answer = await Import(workspace, program, "email,key\n" + string.Concat(names.Select(name => $"{name},c1\n{name},c2\n")));
        Assert.Equal((6, 6L), (answer["created"]!.GetValue<int>(), await Pending(workspace)));
        var (paused, merged, erased, target) =
            (fixture.Peers.LeadIds[names[0]], fixture.Peers.LeadIds[names[1]], fixture.Peers.LeadIds[names[2]], Guid.CreateVersion7());
        Assert.DoesNotContain(fixture.Peers.Imported, row => row["email"]!.GetValue<string>() == names[0] && row.ContainsKey("key"));

        await workspace.Post($"/v1/programs/{program}:pause");
        await workspace.Post($"/v1/programs/{program}/enrollments:import", "{}", HttpStatusCode.UnsupportedMediaType);
        await workspace.Publish(workspace.Captured(paused, names[0]));
        await workspace.Publish(workspace.Captured(target, $"target.{run}@example.com"));
        await workspace.Publish(new LeadsMerged(Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 5, merged, target));
        await workspace.Publish(new LeadErased(Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 9, erased));

        await Eventually.Equal(0L, () => Pending(workspace), "nobody waits any more", Deadline);
        Assert.Equal(
            new[] { paused, paused, target, target }.Select(id => $"{id} IMPORT").Order(StringComparer.Ordinal),
            await Enrollments(workspace, program));
        Assert.True(
            await fixture.Database.Scalar<bool>("select bool_and(held) from enrollment where program_id = $1", Guid.Parse(program)));
        await workspace.Post($"/v1/programs/{program}:start");
        Assert.False(
            await fixture.Database.Scalar<bool>("select bool_or(held) from enrollment where program_id = $1", Guid.Parse(program)));
    }

    private Task<long> Pending(TestWorkspace workspace) =>
        fixture.Database.Scalar<long>("select count(*) from pending_entry where workspace_id = $1", workspace.Id);

    private async Task<JsonObject> Import(TestWorkspace workspace, string program, string file, string query = "")
    {
        using var client = new HttpClient { BaseAddress = fixture.Service.Http };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/programs/{program}/enrollments:import{query}")
        {
            Content = new StringContent(file, Encoding.UTF8, "text/csv"),
        };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace.Id, "UTC", "USD", []));
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>The counts, and of each refused line the beginning of its fault.</summary>
    private static string Told(JsonObject answer) => $"created {answer["created"]}, unchanged {answer["unchanged"]}, rejected "
        + string.Join(
            ", ", answer["rejected"]!.AsArray().Select(row => $"{row!["line"]}: {Beginning(row["errors"]![0]!.GetValue<string>())}"));

    private static string Beginning(string fault) => fault.StartsWith("The lead is ", StringComparison.Ordinal)
        ? fault["The lead is ".Length..].Split(',')[0]
        : string.Join(' ', fault.Split(' ').Take(
            fault.StartsWith("leadId", StringComparison.Ordinal) || fault.StartsWith("createTime", StringComparison.Ordinal) ? 2 : 3));

    private static async Task<IReadOnlyList<string>> Enrollments(TestWorkspace workspace, string program) =>
        [.. (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray()
            .Select(item => $"{item!["leadId"]} {item["trigger"]}")
            .Order(StringComparer.Ordinal)];
}
