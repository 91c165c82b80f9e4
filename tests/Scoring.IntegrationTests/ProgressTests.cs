using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>What leads do is counted from where they were: whatever comes between, ledger, Redis and replay agree.</summary>
public sealed class ProgressTests(ScoringFixture scoring)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    /// <summary>Visit upon visit, by two processes in turn, while profiles, merges, adjustments and models change, and messages come late
    /// or twice.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task VisitAfterVisit_AmidstOtherChanges_LedgerRedisAndReplayAgree(int seed)
    {
        const int Rounds = 14;
        var (workspace, random, start) = (await scoring.Workspace(), new Random(seed), Times.Now.AddDays(-20));
        var leads = Enumerable.Range(0, 6).Select(_ => Guid.CreateVersion7()).ToArray();
        await using var replica = scoring.Create();
        await replica.Start();
        foreach (var (number, lead) in leads.Index())
        {
            await scoring.Bus.Publish(Given.Captured(workspace, lead, start, number % 2 == 0 ? "VP Sales" : "Buyer"));
        }

        var (expected, sent) = (0L, new List<ActivitiesRecorded>());
        for (var round = 0; round < Rounds; round++)
        {
            var time = start.AddDays(round).AddMinutes(random.Next(600));
            var messages = leads.Select(lead => Given.Recorded(workspace, Visit(random, lead, time))).ToList();
            if (round % 4 == 1)
            {
                // One is late: all after it is counted anew.
                messages.Add(Given.Recorded(workspace, Given.Page(
                    leads[random.Next(leads.Length)], time.AddDays(-1).AddSeconds(7), "/pricing", Guid.CreateVersion7())));
            }

            expected += messages.Sum(message => message.Activities.Count);
            var again = sent.Where(_ => random.Next(8) == 0).Select(message => message with { EventId = Guid.CreateVersion7() });
            sent.AddRange(messages);
            foreach (var message in messages.Concat(again.ToArray()))
            {
                await scoring.Bus.Publish(message);
            }

            await Eventually.Equal(
                expected, () => scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace),
                "the visits are in", Deadline);
            switch (round)
            {
                case 3:
                    await scoring.Bus.Publish(Given.Updated(workspace, leads[1], start, time.AddHours(20), 2, "VP Marketing"));
                    break;
                case 5:
                    await scoring.Bus.Publish(Given.Merged(workspace, leads[5], leads[4], time.AddHours(20)));
                    break;
                case 7:
                    await scoring.Post($"/v1/scores/{leads[2]}:adjust", workspace, """{"points":12.5,"reason":"Called us"}""");
                    break;
                case 9:
                    await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, """
                        {"rules":[
                          {"id":"page","name":"Page","category":"BEHAVIOR","points":3,"condition":"activity.type = 'PAGE'","cap":20,"halfLife":"6d"},
                          {"id":"visit","name":"Visit","category":"BEHAVIOR","points":4.5,"condition":"exists activity.sessionId and lead.title contains 'VP'","oncePer":"SESSION"},
                          {"id":"form","name":"Form","category":"BANT","points":15,"condition":"activity.properties.formType = 'demo'","maxTimes":2,"window":"5d"}],
                         "categoryCaps":{"behavior":50},"thresholds":{"mql":30,"hot":60,"demote":12},"bands":[{"name":"LOW","min":0},{"name":"HIGH","min":40}]}
                        """);
                    break;
                default:
                    break;
            }
        }

        await Eventually.Equal(
            (1L, 1L),
            async () => (
                await scoring.Database.Scalar<long>(
                    "select count(*) from lead where workspace_id = $1 and merged_into is not null", workspace),
                await scoring.Database.Scalar<long>(
                    "select count(*) from lead where workspace_id = $1 and profile_version = 2", workspace)),
            "all is in", Deadline);
        await Eventually.Passes(
            async () => Assert.Equal(leads.Length - 1, await new Replay(scoring, workspace).Check()), "they agree", Deadline);
    }

    /// <summary>What is sure to be new for the lead is not asked for; that it belongs to another is found, and costs its neighbours
    /// nothing.</summary>
    [Fact]
    public async Task ActivityOfAnotherLead_AmongNewOnes_CountsForTheOtherAlone()
    {
        var (workspace, time) = (await scoring.Workspace(), Times.Now.AddDays(-3));
        var (first, second) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var known = Given.Page(first, time.AddHours(1), "/", Guid.CreateVersion7());
        await scoring.Bus.Publish(Given.Recorded(workspace, known, Given.Page(second, time, "/", Guid.CreateVersion7())));
        await Activities(2);
        await scoring.Bus.Publish(Given.Recorded(
            workspace, known with { LeadId = second }, Given.Page(second, time.AddHours(2), "/pricing", Guid.CreateVersion7()),
            Given.Page(first, time.AddHours(2), "/pricing", Guid.CreateVersion7())));
        await Activities(4);

        Assert.Equal(2L, await scoring.Database.Scalar<long>(
            "select count(*) from activity where workspace_id = $1 and lead_id = $2", workspace, second));
        await Eventually.Passes(async () => Assert.Equal(2, await new Replay(scoring, workspace).Check()), "they agree", Deadline);

        Task Activities(long count) => Eventually.Equal(
            count, () => scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace),
            "all is in", Deadline);
    }

    private static ActivityInfo[] Visit(Random random, Guid lead, DateTimeOffset time)
    {
        var session = Guid.CreateVersion7();
        return [.. Enumerable.Range(0, 1 + random.Next(4)).Select(step => random.Next(9) switch
        {
            0 => Given.Form(lead, time.AddMinutes(step), random.Next(2) == 0 ? "demo" : "contact", session),
            1 => Given.Download(lead, time.AddMinutes(step), session),
            2 => Given.Page(lead, time.AddMinutes(step), "/careers", session),
            3 => Given.Page(lead, time.AddMinutes(step), "/pricing", session),
            _ => Given.Page(lead, time.AddMinutes(step), "/", session),
        })];
    }
}
