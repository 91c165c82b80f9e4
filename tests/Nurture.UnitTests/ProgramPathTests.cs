using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;

namespace Nurture.UnitTests;

public sealed class ProgramPathTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 10, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Admits_LeadCapturedLongerAgoThanMaxAge_DoesNotEnter()
    {
        var path = Path([new LeadCapturedTrigger([], EntryTrigger.DefaultMaxAge)]);

        Assert.NotNull(path.Admits(new CapturedCause("FORM", Now.AddDays(-2.9)), null, Now));
        Assert.Null(path.Admits(new CapturedCause("FORM", Now.AddDays(-3.1)), null, Now));
    }

    [Fact]
    public void Admits_CaptureTypeNotListed_DoesNotEnter()
    {
        var path = Path([new LeadCapturedTrigger(["FORM", "CHAT"], EntryTrigger.DefaultMaxAge)]);

        Assert.NotNull(path.Admits(new CapturedCause("CHAT", Now), null, Now));
        Assert.Null(path.Admits(new CapturedCause("IMPORT", Now), null, Now));
    }

    [Fact]
    public void Admits_StageChangeWithReason_EntersForThatReasonOnly()
    {
        var path = Path([new StageChangedTrigger(Stage.Lead, "RECYCLED", EntryTrigger.DefaultMaxAge)]);

        Assert.Equal("STAGE_CHANGED", path.Admits(new StageCause(Stage.Lead, "RECYCLED", Now), Stage.Lead, Now)?.Name);
        Assert.Null(path.Admits(new StageCause(Stage.Lead, "CAPTURED", Now), Stage.Lead, Now));
    }

    [Fact]
    public void Admits_LeadAtAnExitStageOrBeyondTheGoal_DoesNotEnter()
    {
        var path = Path([new ManualTrigger()]) with { ExitOnStages = [Stage.Disqualified], GoalStage = Stage.Mql };

        Assert.NotNull(path.Admits(new ManualCause(), Stage.Lead, Now));
        Assert.Null(path.Admits(new ManualCause(), Stage.Disqualified, Now));
        Assert.Null(path.Admits(new ManualCause(), Stage.Sql, Now));
    }

    [Theory]
    [InlineData(Stage.Mql, true)]
    [InlineData(Stage.Customer, true)]
    [InlineData(Stage.Lead, false)]
    [InlineData(Stage.Disqualified, false)]
    [InlineData(Stage.Churned, false)]
    public void IsGoalReached_GoalMql_CountsLaterStagesOfTheFunnel(Stage stage, bool reached) =>
        Assert.Equal(reached, (Path([new ManualTrigger()]) with { GoalStage = Stage.Mql }).IsGoalReached(stage));

    [Fact]
    public void Check_FaultyPath_NamesEveryFault()
    {
        var path = new ProgramPath(
            [],
            [new WaitStep("a", TimeSpan.Zero), new WaitStep("a", TimeSpan.FromDays(400)), new BranchStep("b c", "x", "a")],
            [],
            null,
            Reentry.Never);
        var violations = new Violations();

        path.Check(violations, _ => "condition does not parse", _ => null);

        Assert.Equal(
            ["entryTriggers", "steps[0].wait.duration", "steps[1].id", "steps[1].wait.duration", "steps[2].id",
                "steps[2].branch.condition"],
            violations.Found.Select(violation => violation.Field));
    }

    [Fact]
    public void Check_FaultyGraph_NamesEveryFaultAtOnce()
    {
        var path = new ProgramPath(
            [new ManualTrigger()],
            [
                new SplitStep("split", "s", [new(50, "nowhere"), new(49, null)]),
                new WaitEventStep("event", "", "x", "cart", TimeSpan.Zero, "gone"),
                new BranchStep("b", "c", "a"),
                new SendEmailStep("a", Guid.Empty) { Next = "b" },
                new ExitStep("end") { Next = "a" },
                new UpdateTraitStep("trait", "", null),
            ],
            [],
            null,
            Reentry.Never)
        { ReentryKey = "cart" };
        var violations = new Violations();

        path.Check(violations, _ => null, _ => "wrong");

        Assert.Equal(
            [
                "reentryKey", "steps[0].split.ways", "steps[0].split.ways[0].stepId", "steps[1].wait.untilEvent.name",
                "steps[1].wait.untilEvent.timeout", "steps[1].wait.untilEvent.condition", "steps[1].wait.untilEvent.keyProperty",
                "steps[1].wait.untilEvent.timeoutStepId", "steps[4].nextStepId", "steps[5].updateTrait.trait",
                "steps[4]", "steps[5]", "steps[2]",
            ],
            violations.Found.Select(violation => violation.Field));
        Assert.Equal("The loop of b, a never ends: it needs a wait.", violations.Found[^1].Message);
    }

    [Fact]
    public void Check_LoopWithAWait_IsSound()
    {
        var path = new ProgramPath(
            [new ManualTrigger()],
            [
                new SendEmailStep("mail", Guid.Empty),
                new WaitEventStep("bought", "Order Completed", null, null, TimeSpan.FromDays(3), "again"), new GoalStep("goal"),
                new BranchStep("again", "true", "mail"), new ExitStep("end"),
            ],
            [],
            null,
            Reentry.Never);
        var violations = new Violations();

        path.Check(violations, _ => null, _ => null);

        Assert.Empty(violations.Found);
    }

    [Fact]
    public void KeyOf_PerKey_IsThePropertyOfTheEvent()
    {
        var path = Path([new EventTrigger("Cart Abandoned", EntryTrigger.DefaultMaxAge)]) with
        {
            Reentry = Reentry.PerKey,
            ReentryKey = "cart_id"
        };

        Assert.Equal("7", path.KeyOf(Did("""{"cart_id":7}""")));
        Assert.Equal("a", path.KeyOf(Did("""{"Cart_Id":"a"}""")));
        Assert.Equal("", path.KeyOf(Did("{}")));
        Assert.Equal("", (path with { Reentry = Reentry.Never }).KeyOf(Did("""{"cart_id":7}""")));
    }

    private static ActivityCause Did(string properties) => new(new(
        "TRACK", "Cart Abandoned", Now, null,
        System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, System.Text.Json.JsonElement>>(properties)!));

    private static ProgramPath Path(EntryTrigger[] triggers) => new(triggers, [new ExitStep("end")], [], null, Reentry.Never);
}
