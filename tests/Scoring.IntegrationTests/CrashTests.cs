using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Scoring.Domain;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>The process is killed, and Redis emptied, in the middle of work: nothing is lost, nothing counted twice.</summary>
public sealed class CrashTests : IAsyncLifetime
{
    private readonly ScoringFixture scoring = new();

    public ValueTask InitializeAsync() => scoring.InitializeAsync();

    public ValueTask DisposeAsync() => scoring.DisposeAsync();

    [Fact]
    public async Task Kill_InTheMiddleOfTwoThousandActivities_SameState()
    {
        var (workspace, now, random) = (await scoring.Workspace(), Times.Now.AddDays(-30), new Random(7));
        var leads = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToArray();
        var activities = Enumerable.Range(0, 2_000).Select(_ =>
        {
            var (lead, time) = (leads[random.Next(leads.Length)], Times.Micro(now.AddMinutes(random.Next(30 * 24 * 60))));
            return random.Next(4) switch
            {
                0 => Given.Form(lead, time, "contact"),
                1 => Given.Download(lead, time),
                _ => Given.Page(lead, time, random.Next(8) == 0 ? "/pricing" : "/", Guid.CreateVersion7()),
            };
        }).ToArray();
        var messages = activities.Chunk(10).Select(chunk => Given.Recorded(workspace, chunk)).ToArray();
        foreach (var lead in leads)
        {
            await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
        }

        foreach (var message in messages)
        {
            await scoring.Bus.Publish(message);
        }

        foreach (var reached in new[] { 300L, 900L })
        {
            await Eventually.True(async () => await Count(workspace) >= reached, $"{reached} activities are in", TimeSpan.FromSeconds(120));
            await scoring.Service.Kill();
            await scoring.Redis.Command("FLUSHALL");
            await scoring.Service.Start();
        }

        // Some come again, as after a crash of their sender.
        foreach (var message in messages.Where((_, index) => index % 5 == 0))
        {
            await scoring.Bus.Publish(message with { EventId = Guid.CreateVersion7() });
        }

        await Eventually.Equal(
            (2_000L, (long)leads.Length),
            async () => (
                await Count(workspace),
                await scoring.Database.Scalar<long>(
                    "select count(*) from lead where workspace_id = $1 and profile is not null", workspace)),
            "all activities and profiles are in", TimeSpan.FromSeconds(120));
        await Eventually.Equal(
            0L, async () => await scoring.Broker.QueueLength("scoring.activities-recorded") ?? -1, "the queue is empty",
            TimeSpan.FromSeconds(60));
        await Eventually.Equal(0L, () => scoring.Unprojected(workspace), "Redis has all", TimeSpan.FromSeconds(60));
        foreach (var lead in leads)
        {
            var sheet = Expected(now, activities.Where(activity => activity.LeadId == lead));
            var explained = await scoring.Get($"/v1/scores/{lead}:explain", workspace);
            var asOf = DateTimeOffset.Parse((string)explained["score"]!["asOf"]!, null);
            Assert.Equal(sheet.Contributions.Count, explained["contributions"]!.AsArray().Count);
            Assert.Equal((double)sheet.State.PointsAt(asOf).Total, (double)explained["score"]!["total"]!);
            var live = await scoring.Get($"/v1/scores/{lead}", workspace);
            Assert.Equal((double)explained["score"]!["total"]!, (double)live["total"]!, 0.011);
        }

        // Every lead's qualifications alternate: each was told once, in order of time and version. The events go out after the commits.
        await Eventually.Equal(
            await scoring.Database.Scalar<long>("select count(*) from transition where workspace_id = $1", workspace),
            () => Task.FromResult(Told().LongCount()), "every qualification is told");
        Assert.All(Told().GroupBy(LeadOf), ofLead =>
        {
            var ordered = ofLead.OrderBy(e => e.Version).ToArray();
            Assert.All(ordered.Index(), entry => Assert.Equal(entry.Index % 2 == 0, entry.Item is LeadQualified));
            Assert.Equal(ordered.OrderBy(e => e.OccurredAt), ordered);
        });

        IEnumerable<ILifecycleEvent> Told() => scoring.Bus.Received.Select(delivery => delivery.Event)
            .Where(e => e is LeadQualified or LeadDisqualified && e.WorkspaceId == workspace).DistinctBy(e => e.EventId);
    }

    private Task<long> Count(Guid workspace) =>
        scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace);

    private static Guid LeadOf(ILifecycleEvent e) => e is LeadQualified qualified ? qualified.LeadId : ((LeadDisqualified)e).LeadId;

    /// <summary>What the domain makes of the same facts, in this process.</summary>
    private static ScoreSheet Expected(DateTimeOffset createTime, IEnumerable<ActivityInfo> activities) => Scorer.Score(
        DefaultModel.Instance,
        new LeadProfile(
            "ada@example.com", "FORM", "demo", createTime, new("Paid Search", "google", "cpc", "spring", null, null),
            new Dictionary<string, string> { ["title"] = "VP Marketing" }, new("Example", null, null, 250, null, null)),
        new Dictionary<string, DateTimeOffset>(),
        activities.Select(activity => new Activity(
            activity.ActivityId, activity.Type, activity.Name, activity.Time, activity.SessionId, activity.Url,
            activity.Properties.ToDictionary(property => property.Key, property => property.Value.Deserialize<JsonElement>()))));
}
