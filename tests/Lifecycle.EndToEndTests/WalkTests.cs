namespace Lifecycle.EndToEndTests;

/// <summary>The walk, undisturbed and with a part of the stack failing in the middle: the end is the same.</summary>
public sealed class WalkTests(RunningSuite suite)
{
    [Fact]
    public async Task Walk_WholeStackUp_EndsInAdvocateAndRightNumbers()
    {
        using var walk = new Walk(suite);

        await walk.Run();

        var history = (await walk.Api.Get($"/v1/leads/{walk.LeadId}/stage"))["history"]!.AsArray();
        Assert.Equal(["LEAD", "MQL", "SQL", "OPPORTUNITY", "CUSTOMER", "ADVOCATE"], history.Select(change => change!.Text("to")));
    }

    [Fact]
    public async Task Walk_SubscriberInItsOwnProcess_SeesEachChangeOnceInOrder()
    {
        using var subscriber = await StageChangeSubscriber.Start(suite);
        using var walk = new Walk(suite);

        await walk.Run();

        string[] Of(string leadId) =>
            subscriber.Changes.Where(change => change.Text("leadId") == leadId)
                .Select(change => $"{change.Text("version")} {change.Text("to")} {change.Text("reason")}").ToArray();
        await Eventually.True(
            "the last change of each lead",
            () => Task.FromResult(Of(walk.LeadId).Length >= 6 && Of(walk.ReturnedLeadId).Length >= 3 && Of(walk.ErasedLeadId).Length >= 2));
        Assert.Equal(
            ["1 LEAD CAPTURED", "2 MQL QUALIFIED", "3 SQL ACCEPTED", "4 OPPORTUNITY OPPORTUNITY_OPENED",
                "5 CUSTOMER WON", "6 ADVOCATE ADVOCATED"],
            Of(walk.LeadId));
        Assert.Equal(["1 LEAD CAPTURED", "2 MQL QUALIFIED", "3 LEAD RECYCLED"], Of(walk.ReturnedLeadId));
        Assert.Equal(["1 LEAD CAPTURED", "2 MQL QUALIFIED"], Of(walk.ErasedLeadId));
    }

    [Fact]
    public async Task Walk_ScoringKilledInTheMiddle_EndsTheSame()
    {
        await WalkWith(
            nameof(Walk.StartProgram), nameof(Walk.CheckJourney), () => suite.Kill("scoring"), () => suite.StartResource("scoring"));
    }

    [Fact]
    public async Task Walk_RedisEmptiedInTheMiddle_EndsTheSame()
    {
        await WalkWith(nameof(Walk.CheckQualified), nameof(Walk.CheckQualified), suite.EmptyRedis, () => Task.CompletedTask);
    }

    [Fact]
    public async Task Walk_RabbitMqRestartedInTheMiddle_EndsTheSame()
    {
        await WalkWith(
            nameof(Walk.StartProgram), nameof(Walk.StartProgram), () => suite.RestartResource("rabbitmq"), () => Task.CompletedTask);
    }

    private async Task WalkWith(string breakAfter, string mendAfter, Func<Task> breakIt, Func<Task> mendIt)
    {
        using var walk = new Walk(suite);
        await walk.Run(async step =>
        {
            if (step == breakAfter)
            {
                await breakIt();
            }

            if (step == mendAfter)
            {
                await mendIt();
            }
        });

        var history = (await walk.Api.Get($"/v1/leads/{walk.LeadId}/stage"))["history"]!.AsArray();
        Assert.Equal(["LEAD", "MQL", "SQL", "OPPORTUNITY", "CUSTOMER", "ADVOCATE"], history.Select(change => change!.Text("to")));
    }
}
