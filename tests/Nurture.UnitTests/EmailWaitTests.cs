using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;

namespace Nurture.UnitTests;

/// <summary>Waits for what people do with a mail of their own enrollment.</summary>
public sealed class EmailWaitTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid Welcome = Guid.Parse("01900000-0000-7000-8000-000000000001");
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static readonly ProgramPath Path = Of(
        new SendEmailStep("hello", Welcome), new WaitEmailStep("opened", false, "hello", Day, "remind"), new GoalStep("won"),
        new SendEmailStep("remind", Welcome), new ExitStep("end"));

    [Fact]
    public void Advance_FromTheMail_WaitsForIt_WhateverBecameOfAnEarlierOneOfTheStep()
    {
        var advance = EnrollmentEngine.Advance(Path, At("hello", 0), Now, new TestLead { Engages = _ => Now.AddDays(-3) });

        Assert.Equal((EnrollmentState.Active, "EMAIL_OPEN"), (advance.State, advance.WaitsFor));
        Assert.Equal(new Position("opened", 1, Now, Now + Day), advance.At);
    }

    [Theory]
    [InlineData(-1, EnrollmentState.Converted, "opened won")]
    [InlineData(null, EnrollmentState.Completed, "opened remind end")]
    public void Advance_WhenTheWaitIsOver_GoesByWhetherItWasOpenedInTime(int? opened, EnrollmentState state, string passed)
    {
        var lead = new TestLead { Engages = _ => opened is { } hours ? Now.AddHours(hours) : null };

        var advance = EnrollmentEngine.Advance(Path, At("opened", 1), Now, lead);

        Assert.Equal((state, passed), (advance.State, string.Join(' ', advance.Completed.Select(visit => visit.Step.Id))));
    }

    [Fact]
    public void Advance_OpenedAfterTheTimeout_IsTooLate()
    {
        var advance = EnrollmentEngine.Advance(Path, At("opened", 1), Now.AddHours(2), new TestLead { Engages = _ => Now.AddHours(1) });

        Assert.Equal("opened remind end", string.Join(' ', advance.Completed.Select(visit => visit.Step.Id)));
    }

    [Fact]
    public void Advance_ToAWaitForAMailOpenedBefore_GoesOnAtOnce()
    {
        var path = Of(
            new SendEmailStep("hello", Welcome), new WaitStep("day", Day),
            new WaitEmailStep("opened", false, null, Day, "end"), new GoalStep("won"), new ExitStep("end"));

        var advance = EnrollmentEngine.Advance(path, At("day", 1), Now, new TestLead { Engages = _ => Now.AddHours(-5) });

        Assert.Equal("day opened won", string.Join(' ', advance.Completed.Select(visit => visit.Step.Id)));
    }

    [Fact]
    public void Advance_ListChangedOnTheWay_IsSeenByWhatIsAskedAfterIt()
    {
        var list = Guid.Parse("01900000-0000-7000-8000-00000000000b");
        var lead = new TestLead();
        lead.Decides = _ => lead.Lists.Contains(list);
        var path = Of(
            new UpdateListStep("add", list, true), new BranchStep("in", $"in_segment('{list}')", "end"),
            new GoalStep("won"), new ExitStep("end"));

        Assert.Equal(EnrollmentState.Converted, EnrollmentEngine.Advance(path, At("add", 0), Now, lead).State);
    }

    [Fact]
    public void Ahead_EndsAtStepsThatTakeTime()
    {
        var path = Of(
            new WaitStep("a", Day), new BranchStep("b", "true", "e"), new WaitStep("c", Day),
            new BranchStep("d", "true", null), new ExitStep("e"));

        Assert.Equal(["a", "b", "c", "e"], path.Ahead("a").Select(step => step.Id));
        Assert.Equal(["c", "d", "e"], path.Ahead("c").Select(step => step.Id));
        Assert.Empty(path.Ahead("gone"));
    }

    [Fact]
    public void Check_WaitForAMailThatNoStepSends_AndALoopThatMayTakeNoTime_AreFaults()
    {
        Assert.Equal(
            ["steps[0].wait.untilEmail.stepId", "steps[0].wait.untilEmail.timeout"],
            Faults(Of(new WaitEmailStep("a", true, "b", TimeSpan.Zero, null), new ExitStep("b"))));
        Assert.Contains("steps[1]", Faults(Of(
            new SendEmailStep("mail", Welcome), new WaitEmailStep("a", true, null, Day, null), new BranchStep("b", "true", "a"))));
        // Reminded each day until it is clicked: the way back is the time-out's.
        Assert.Empty(
            Faults(Of(new SendEmailStep("mail", Welcome), new WaitEmailStep("a", true, "mail", Day, "mail"), new GoalStep("won"))));
    }

    private static IEnumerable<string> Faults(ProgramPath path)
    {
        var violations = new Violations();
        path.Check(violations, _ => null, _ => null);
        return violations.ToError()?.Violations.Select(fault => fault.Field).Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>();
    }

    private static Position At(string step, int visit) => new(step, visit, Now - Day, Now);

    private static ProgramPath Of(params Step[] steps) => new([new ManualTrigger()], steps, [], null, Reentry.Never);
}
