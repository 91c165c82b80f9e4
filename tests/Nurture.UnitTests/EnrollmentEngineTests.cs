using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;

namespace Nurture.UnitTests;

public sealed class EnrollmentEngineTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid Welcome = Guid.Parse("01900000-0000-7000-8000-000000000001");
    private static readonly Guid Guide = Guid.Parse("01900000-0000-7000-8000-000000000002");

    [Fact]
    public void Advance_FromAMail_QueuesItAndStandsAtTheNextWait()
    {
        var path = Path(new SendEmailStep("a", Welcome), new WaitStep("b", TimeSpan.FromDays(2)), new SendEmailStep("c", Guide));

        var advance = EnrollmentEngine.Advance(path, "a", Now, _ => true);

        Assert.Equal(["a"], advance.CompletedSteps);
        Assert.Equal(Welcome, Assert.Single(advance.Sends).EmailId);
        Assert.Equal((EnrollmentState.Active, "b", Now.AddDays(2)), (advance.State, advance.StepId, advance.DueAt));
    }

    [Fact]
    public void Advance_FromTheLastWait_SendsAndCompletes()
    {
        var path = Path(new SendEmailStep("a", Welcome), new WaitStep("b", TimeSpan.FromDays(2)), new SendEmailStep("c", Guide));

        var advance = EnrollmentEngine.Advance(path, "b", Now, _ => true);

        Assert.Equal(["b", "c"], advance.CompletedSteps);
        Assert.Equal(Guide, Assert.Single(advance.Sends).EmailId);
        Assert.Equal((EnrollmentState.Completed, null, null), (advance.State, advance.StepId, advance.DueAt));
    }

    [Theory]
    [InlineData(true, new[] { "a", "b", "c" })]
    [InlineData(false, new[] { "a", "c" })]
    public void Advance_AtABranch_TakesTheWayOfItsCondition(bool holds, string[] passed)
    {
        var path = Path(
            new BranchStep("a", "lead.stage = \"LEAD\"", "c"),
            new SendEmailStep("b", Welcome),
            new ExitStep("c"),
            new SendEmailStep("d", Guide));

        var advance = EnrollmentEngine.Advance(path, "a", Now, _ => holds);

        Assert.Equal(passed, advance.CompletedSteps);
        Assert.Equal(EnrollmentState.Completed, advance.State);
        Assert.Equal(holds ? 1 : 0, advance.Sends.Count);
    }

    [Fact]
    public void Advance_BranchWithoutElse_EndsThePath()
    {
        var path = Path(new BranchStep("a", "true", null), new SendEmailStep("b", Welcome));

        var advance = EnrollmentEngine.Advance(path, "a", Now, _ => false);

        Assert.Equal((EnrollmentState.Completed, 0), (advance.State, advance.Sends.Count));
    }

    [Fact]
    public void Advance_AtAStepThatIsGone_LeavesTheProgram()
    {
        var advance = EnrollmentEngine.Advance(Path(new ExitStep("a")), "b", Now, _ => true);

        Assert.Equal((EnrollmentState.Exited, EnrollmentEngine.StepRemoved), (advance.State, advance.ExitReason));
        Assert.Empty(advance.CompletedSteps);
    }

    [Fact]
    public void Advance_AnyPath_PassesEachStepAtMostOnceAndWaitsTheSumOfItsWaits() => Prop.ForAll(PathGenerator.ToArbitrary(), input =>
    {
        var (path, choices) = input;
        var (now, passed, mails) = (Now, new List<string>(), 0);
        var due = EnrollmentEngine.FirstDue(path, now);
        var (step, state, advances) = (path.Steps[0].Id, EnrollmentState.Active, 0);
        while (state == EnrollmentState.Active)
        {
            now = due;
            var advance = EnrollmentEngine.Advance(path, step, now, branch => choices[path.IndexOf(branch.Id)]);
            passed.AddRange(advance.CompletedSteps);
            mails += advance.Sends.Count;
            (state, step, due) = (advance.State, advance.StepId ?? step, advance.DueAt ?? due);
            Assert.True(++advances <= path.Steps.Count);
        }

        Assert.Equal(EnrollmentState.Completed, state);
        Assert.Equal(passed.Distinct().Count(), passed.Count);
        Assert.Equal(passed, path.Steps.Select(at => at.Id).Where(passed.Contains));
        Assert.Equal(mails, path.Steps.OfType<SendEmailStep>().Count(at => passed.Contains(at.Id)));
        var waits = path.Steps.OfType<WaitStep>().Where(at => passed.Contains(at.Id)).Sum(at => at.Duration.TotalMinutes);
        Assert.Equal(waits, (now - Now).TotalMinutes, 6);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private static Gen<(ProgramPath Path, bool[] Choices)> PathGenerator =>
        from count in Gen.Choose(1, 12)
        from kinds in Gen.Choose(0, 3).ArrayOf(count)
        from numbers in Gen.Choose(1, 5000).ArrayOf(count)
        from choices in ArbMap.Default.GeneratorFor<bool>().ArrayOf(count)
        select (Path([.. kinds.Select((kind, index) => MakeStep(kind, index, numbers[index], count))]), choices);

    private static Step MakeStep(int kind, int index, int number, int count) => kind switch
    {
        0 => new SendEmailStep($"s{index}", Welcome),
        1 => new WaitStep($"s{index}", TimeSpan.FromMinutes(number)),
        2 => new BranchStep($"s{index}", "true", index + 1 + (number % count) is var later && later < count ? $"s{later}" : null),
        _ => new ExitStep($"s{index}"),
    };

    private static ProgramPath Path(params Step[] steps) => new([new ManualTrigger()], steps, [], null, Reentry.Never);
}

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

        path.Check(violations, _ => "condition does not parse");

        Assert.Equal(
            ["entryTriggers", "steps[0].wait.duration", "steps[1].id", "steps[1].wait.duration", "steps[2].id", "steps[2].branch.condition", "steps[2].branch.elseStepId"],
            violations.Found.Select(violation => violation.Field));
    }

    private static ProgramPath Path(EntryTrigger[] triggers) => new(triggers, [new ExitStep("end")], [], null, Reentry.Never);
}
