using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Lists in the order asked for, page by page.</summary>
public sealed class ListOrderTests(NurtureFixture fixture)
{
    [Fact]
    public async Task DkimKeysAndEndpoints_ByName_AreSortedOverPages()
    {
        var workspace = await fixture.NewWorkspace();
        foreach (var name in new[] { "delta", "alpha", "charlie", "bravo" })
        {
            await workspace.Post("/v1/dkimKeys", $$"""{"domain":"{{name}}.example.com"}""");
            await workspace.Post("/v1/notifyEndpoints", $$"""{"displayName":"{{name}}","url":"http://127.0.0.1:9/{{name}}"}""");
        }

        string[] names = ["alpha", "bravo", "charlie", "delta"];
        Assert.Equal(names.Select(name => $"{name}.example.com"), await Read(workspace, "/v1/dkimKeys", "domain", "domain"));
        Assert.Equal(
            ["delta.example.com", "alpha.example.com", "charlie.example.com", "bravo.example.com"],
            await Read(workspace, "/v1/dkimKeys", "", "domain"));
        Assert.Equal(names.Reverse(), await Read(workspace, "/v1/notifyEndpoints", "displayName desc", "displayName"));
    }

    [Fact]
    public async Task WhatASegmentAndAProgramHold_ByTime_IsSortedOverPages()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewWelcome();
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, "ada@example.com"));
        await Eventually.Passes(() => workspace.LeadEmails(lead), "the lead is known");
        var segment = (await workspace.Post("/v1/segments", """{"displayName":"VIP","kind":"LIST"}"""))["id"]!.GetValue<string>();
        foreach (var path in new[]
        {
            $"/v1/segments/{segment}/members?orderBy=enterTime%20desc", $"/v1/programs/{program}/enrollments?orderBy=enterTime%20desc",
            $"/v1/programs/{program}/versions?orderBy=version", $"/v1/reports/programLeads?programId={program}&orderBy=enterTime",
            $"/v1/reports/engagementLeads?emailId=x&orderBy=sendTime", $"/v1/leads/{lead}/emails?orderBy=createTime",
        })
        {
            await workspace.Get(path);
            var refused = await workspace.Call(
                HttpMethod.Get, path.Replace("orderBy=", "orderBy=colour,", StringComparison.Ordinal), null, HttpStatusCode.BadRequest);

            Assert.Equal("orderBy", Assert.Single(refused["errors"]!.AsArray())!["field"]!.GetValue<string>());
        }
    }

    private static Task<List<string>> Read(TestWorkspace workspace, string path, string orderBy, string field) => PagedList.Read(
        async asked => (JsonNode)await workspace.Get(asked), path, orderBy, row => row[field]!.GetValue<string>());
}
