using System.Net;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Addresses that get no mail.</summary>
public sealed class SuppressionImportTests(NurtureFixture fixture)
{
    [Fact]
    public async Task List_ByEmail_ComparesTheFormThatIsKept()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Post("/v1/suppressions", """{"email":"Ada@Example.com"}""");

        var filter = Uri.EscapeDataString("email = \"ADA@example.COM\"");
        var listed = (await workspace.Get($"/v1/suppressions?filter={filter}"))["suppressions"]!.AsArray();

        Assert.Equal("ada@example.com", Assert.Single(listed)!["email"]!.GetValue<string>());
    }

    [Fact]
    public async Task Import_BrokenOff_GoesOnByItsRequestIdAndTellsFaultsOfTheWhole()
    {
        var workspace = await fixture.NewWorkspace();
        var run = Guid.CreateVersion7().ToString("N");

        var (resumed, again, another) = await ResumedImport.Run(
            fixture.Service.Http, IdentityTokens.Issue(workspace.Id, "UTC", "USD", []), "/v1/suppressions:import", "email,reason",
            row => (row % 500) switch
            {
                3 => "nobody,",
                4 => $"p{row - 1}.{run}@example.com,BORED",
                5 => $"P{row - 3}.{run}@example.com,BOUNCED",
                _ => $"p{row}.{run}@example.com,COMPLAINED",
            },
            1_300,
            () => fixture.Database.Scalar<long>("select count(*) from suppression where workspace_id = $1", workspace.Id));

        Assert.Equal(
            (1_291, 3, 6),
            (resumed["created"]!.GetValue<int>(), resumed["unchanged"]!.GetValue<int>(), resumed["rejectedCount"]!.GetValue<int>()));
        Assert.Equal([5, 6, 505, 506, 1005, 1006], resumed["rejected"]!.AsArray().Select(row => row!["line"]!.GetValue<int>()));
        Assert.Equal(resumed.ToJsonString(), again.ToJsonString());
        Assert.Equal(HttpStatusCode.Conflict, another);
        Assert.Equal(
            1_291L,
            await fixture.Database.Scalar<long>(
                "select count(*) from suppression where workspace_id = $1 and reason = 'COMPLAINED'", workspace.Id));
    }
}
