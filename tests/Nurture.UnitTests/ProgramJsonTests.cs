using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;

namespace Nurture.UnitTests;

public sealed class ProgramJsonTests
{
    [Fact]
    public void Path_AsJson_ComesBack()
    {
        var id = Guid.Parse("01900000-0000-7000-8000-000000000001");
        var path = new ProgramPath(
            [
                new LeadCapturedTrigger(["FORM"], TimeSpan.FromDays(3)), new StageChangedTrigger(
                    Stage.Lead, "RECYCLED", TimeSpan.FromDays(1)),
                new SegmentEnteredTrigger(id), new EventTrigger("Cart Abandoned", TimeSpan.FromHours(1)), new ManualTrigger(),
            ],
            [new SendEmailStep("a", id), new WaitStep("b", TimeSpan.FromDays(2)), new BranchStep("c", "true", "d"), new ExitStep("d")],
            [Stage.Sql],
            Stage.Mql,
            Reentry.AfterExit);

        var read = ProgramStore.Parse(ProgramStore.ToJson(path));

        Assert.Equal(path.Steps, read.Steps);
        Assert.Equal(path.EntryTriggers.Skip(1), read.EntryTriggers.Skip(1));
        Assert.Equal("key", ProgramStore.Parse(ProgramStore.ToJson(path with { Reentry = Reentry.PerKey, ReentryKey = "key" })).ReentryKey);
        Assert.Equal(["FORM"], Assert.IsType<LeadCapturedTrigger>(read.EntryTriggers[0]).CaptureTypes);
        Assert.Equal((path.GoalStage, path.Reentry, Stage.Sql), (read.GoalStage, read.Reentry, read.ExitOnStages[0]));
    }

    [Fact]
    public void EveryStep_AsJson_ComesBack()
    {
        var id = Guid.Parse("01900000-0000-7000-8000-000000000001");
        Step[] steps =
        [
            new SendEmailStep("a", id) { Next = "c" }, new WaitStep("b", TimeSpan.FromDays(2)),
            new WaitTimeStep("c", new TimeOnly(9, 30), [DayOfWeek.Monday, DayOfWeek.Friday]),
            new WaitEventStep("d", "Order Completed", "activity.name = \"x\"", "cart_id", TimeSpan.FromHours(5), "a"),
            new WaitDateStep("e", "birthday", -7, new TimeOnly(8, 0), true, null),
            new WaitEmailStep("n", true, "a", TimeSpan.FromDays(3), "l"), new BranchStep("f", "true", "d"),
            new SplitStep("g", "seed", [new(30, "a"), new(70, null)]), new UpdateTraitStep("h", "plan", null),
            new UpdateListStep("m", id, true), new NotifyStep("i", id), new HandToSalesStep("j", "Call them"),
            new GoalStep("k"), new ExitStep("l"),
        ];
        var path = new ProgramPath([new ManualTrigger()], steps, [], null, Reentry.Never);

        var json = ProgramStore.ToJson(path);
        var again = ProgramStore.ToJson(ProgramStore.Parse(json));

        Assert.Equal(json, again);
        Assert.Equal(steps.Select(step => step.GetType()), ProgramStore.Parse(json).Steps.Select(step => step.GetType()));
        // Every kind of step stands above.
        Assert.Equal(
            typeof(Step).Assembly.GetTypes().Count(type => type.IsSubclassOf(typeof(Step))),
            steps.Select(step => step.GetType()).Distinct().Count());
    }

    [Fact]
    public void Path_AsTheDatabaseGivesItBack_ComesBackToo()
    {
        // jsonb orders members by length: the type discriminator is not first any more.
        const string Json = """
            {"Steps":[{"Id":"a","action":"SEND_EMAIL","EmailId":"01900000-0000-7000-8000-000000000001"}],"Reentry":"Never","GoalStage":null,
             "EntryTriggers":[{"MaxAge":"3.00:00:00","trigger":"LEAD_CAPTURED","CaptureTypes":[]}],"ExitOnStages":[]}
            """;

        Assert.IsType<SendEmailStep>(Assert.Single(ProgramStore.Parse(Json).Steps));
    }
}
