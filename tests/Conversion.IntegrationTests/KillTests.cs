using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>The service dies without warning, and its peers are away: nothing is lost or doubled. On servers of its own.</summary>
public sealed class KillTests : IAsyncLifetime
{
    private readonly ConversionFixture fixture = new();

    public async ValueTask InitializeAsync() => await fixture.Started;

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task Journey_CaptureAwayAtTheWin_IsFrozenWhenItIsBackEvenAfterAKill()
    {
        var workspace = new TestWorkspace(fixture);
        await workspace.Announce();
        var lead = await workspace.Lead(Times.March(1));
        await fixture.Capture.Stop();
        var deal = await workspace.Post(
            "/v1/opportunities", new { leadId = lead, createTime = Times.March(5), amount = new { currencyCode = "USD", amount = "9" } });
        await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { closeTime = Times.March(20) });
        var report = "/v1/reports/attribution?from=2026-01-01&to=2026-04-01&model=LINEAR";
        Assert.Contains("1 deals", (await workspace.Get(report))["note"]!.GetValue<string>(), StringComparison.Ordinal);
        await fixture.Service.Kill();

        fixture.Capture.Know(
            lead, FakeCapture.Touch("Email", Times.March(2)), FakeCapture.Touch("Referral", Times.March(4)),
            FakeCapture.Touch("Display", Times.March(30)));
        await fixture.Capture.Start();
        await fixture.Service.Start();

        // The lease of a claim that died with its worker lasts a minute.
        await Eventually.Equal(
            1L, () => fixture.Database.Scalar<long>("select count(*) from journey where touches is not null"), "the journey is frozen",
            TimeSpan.FromSeconds(120));
        var rows = (await workspace.Get(report))["rows"]!.AsArray();
        Assert.Equal(["Email 4.50", "Referral 4.50"], rows.Select(row => $"{row!["group"]!["channel"]} {row["value"]!["amount"]}"));
    }

    [Fact]
    public async Task Subscriber_ServiceAndSubscriberKilled_HearsEachChangeOnceInOrder()
    {
        var workspace = new TestWorkspace(fixture);
        var state = Path.Combine(Path.GetTempPath(), $"subscriber-{Guid.CreateVersion7():N}");
        ConcurrentQueue<string> lines = [];
        var leads = Enumerable.Range(0, 60).Select(_ => Guid.CreateVersion7()).ToArray();
        try
        {
            await using (SubscriberTests.Run(fixture.Broker, state, lines))
            {
                // What is published before its queue is bound is not for it: leads come until one is printed.
                await Eventually.True(async () =>
                {
                    await workspace.Bus.Publish(workspace.Captured(Guid.CreateVersion7(), Times.March(1)));
                    return !lines.IsEmpty;
                }, "the subscriber listens");
                await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Captured(lead, Times.March(1)))));
                await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Qualified(lead, Times.March(2)))));
                await Made(2);
            }

            var before = lines.ToArray();
            await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Disqualified(lead, Times.March(3)))));
            await fixture.Service.Kill();
            await fixture.Service.Start();
            await Made(3);
            await fixture.Service.Kill();
            await fixture.Service.Start();
            await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Qualified(lead, Times.March(4), 4))));
            await using (SubscriberTests.Run(fixture.Broker, state, lines))
            {
                await Eventually.True(
                    () => Task.FromResult(Heard(lines).Count(line => line["version"]!.GetValue<long>() == 4) == leads.Length),
                    "all is printed", TimeSpan.FromSeconds(120));
            }

            // A subscriber that dies between printing a change and noting it prints that one again, first of all.
            var repeated = lines.ElementAt(before.Length) == before[^1] ? 1 : 0;
            var heard = Heard([.. before, .. lines.Skip(before.Length + repeated)]);
            foreach (var changes in heard.GroupBy(line => line["leadId"]!.GetValue<string>()))
            {
                Assert.Equal(
                    ["1 LEAD", "2 MQL", "3 LEAD", "4 MQL"], changes.Select(line => $"{line["version"]} {line["to"]}"));
            }
        }
        finally
        {
            File.Delete(state);
        }

        // Verdicts travel in queues of their own: one that came before an older one would make that stale.
        Task Made(int version) => Eventually.Equal(
            (long)leads.Length, () => fixture.Database.Scalar<long>("select count(*) from stage_change where version = $1", version),
            $"change {version} of each is made", TimeSpan.FromSeconds(120));

        List<JsonNode> Heard(IEnumerable<string> printed) => [.. printed.Select(line => JsonNode.Parse(line)!).Where(
            line => leads.Contains(Guid.Parse(line["leadId"]!.GetValue<string>())))];
    }

    [Fact]
    public async Task Kill_InTheMiddleOfTwoHundredLeads_LosesAndDoublesNothing()
    {
        var workspace = new TestWorkspace(fixture);
        var leads = Enumerable.Range(0, 200).Select(_ => Guid.CreateVersion7()).ToArray();
        await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Captured(lead, Times.March(1)))));
        await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Qualified(lead, Times.March(2)))));
        foreach (var reached in new[] { 20L, 120L })
        {
            await Eventually.True(
                async () => await fixture.Database.Scalar<long>("select count(*) from stage_change") >= reached,
                $"{reached} changes are made");
            await fixture.Service.Kill();
            await fixture.Service.Start();
        }

        await Eventually.Equal(
            400L, () => fixture.Database.Scalar<long>("select count(*) from stage_change"), "every lead is MQL", TimeSpan.FromSeconds(120));
        await Eventually.Equal(
            0L, () => fixture.Database.Scalar<long>("select count(*) from outbox"), "everything is published", TimeSpan.FromSeconds(60));
        await Eventually.True(
            () => Task.FromResult(fixture.Bus.Of<LeadStageChanged>().Select(change => change.EventId).Distinct().Count() == 400),
            "every change is told");

        Assert.Equal(200L, await fixture.Database.Scalar<long>("select count(*) from handoff where state = 'OPEN'"));
        // A change may be told again after a kill, by the same event; the first tellings are in the order of the versions.
        Assert.All(
            fixture.Bus.Of<LeadStageChanged>().DistinctBy(change => change.EventId).GroupBy(change => change.LeadId),
            changes => Assert.Equal([1, 2], changes.Select(change => change.Version)));
    }
}
