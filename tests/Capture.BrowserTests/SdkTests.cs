using System.Diagnostics;
using Lifecycle.Testing;

namespace Capture.BrowserTests;

/// <summary>The SDKs as npm has them, pointed at the gateway.</summary>
public sealed class SdkTests(TrackedFixture fixture)
{
    private const int Tracks = 250;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("segment")]
    [InlineData("rudderstack")]
    public async Task Sdk_EveryTypeOfMessageAndManyBatches_AllArrives(string sdk)
    {
        var workspace = await fixture.NewWorkspace();

        await Run($"{sdk}.mjs", fixture.Gateway.ToString(), workspace.PublishableKey, $"{Tracks}");

        var counts = await fixture.Database.Query(
            "select type, count(*) from activity where workspace_id = $1 group by 1 order by 1", workspace.Id);
        Assert.Equal(
            [("GROUP", 1L), ("IDENTIFY", 2L), ("PAGE", 1L), ("SCREEN", 1L), ("TRACK", Tracks + 1L)],
            counts.Select(row => ((string)row[0]!, (long)row[1]!)));
        Assert.Equal(
            (long)Tracks, await fixture.Database.Scalar<long>(
                "select count(distinct properties ->> 'number') from activity where workspace_id = $1 and name = 'Counted'", workspace.Id));
        var name = sdk == "segment" ? sdk : "rudder";
        var lead = (await workspace.Get("/v1/leads"))["leads"]!.AsArray().Single()!;
        Assert.Equal(($"{name}@customer.example", "CTO"), ((string?)lead["email"], (string?)lead["traits"]!["title"]));
        Assert.Equal(("Customer Ltd", 250), ((string?)lead["company"]!["name"], (int?)lead["company"]!["employees"]));
        var journey = await workspace.Get($"/v1/leads/{lead["id"]}/journey");
        Assert.Equal(sdk == "segment" ? "google" : "bing", (string?)journey["touches"]!.AsArray()
            .Single(touch => (string?)touch!["channel"] == "Paid Search")!["source"]);
        // The alias leads to the same person.
        Assert.Equal(
            (string?)lead["id"], (string?)(await workspace.Get($"/v1/leads?filter=email={name}@customer.example"))["leads"]![0]!["id"]);
        Assert.Equal(
            [$"{name}-1", $"{name}-2"],
            (await fixture.Database.Query(
                "select value from lead_identity where workspace_id = $1 and kind = 'user' order by 1", workspace.Id))
                .Select(row => (string)row[0]!));
    }

    private static async Task Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Repository.Root, "tests/Capture.BrowserTests/sdk", program), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Patience);
        var (output, errors) = (
            process.StandardOutput.ReadToEndAsync(deadline.Token), process.StandardError.ReadToEndAsync(deadline.Token));
        await process.WaitForExitAsync(deadline.Token);
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}:\n{await output}{await errors}");
    }
}
