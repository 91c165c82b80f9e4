using Lifecycle.Nurture.Domain.Programs;

namespace Nurture.UnitTests;

public sealed class DryRunTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Walk_OfADrip_TellsWhenEachStepComes()
    {
        var path = Path(
            new SendEmailStep("a", Guid.Empty), new WaitStep("b", TimeSpan.FromDays(2)),
            new WaitEventStep("c", "Order Completed", null, null, TimeSpan.FromDays(3), "e"), new GoalStep("d"),
            new SendEmailStep("e", Guid.Empty));

        var (steps, state) = DryRun.Walk(path, Now, new TestLead());

        Assert.Equal(
            [("a", 0), ("b", 0), ("c", 2), ("e", 5)], steps.Select(step => (step.Visit.Step.Id, (int)(step.Time - Now).TotalDays)));
        Assert.Equal(EnrollmentState.Completed, state);
    }

    [Fact]
    public void Walk_RoundALoop_IsBrokenOff()
    {
        var path = Path(new SendEmailStep("mail", Guid.Empty), new WaitStep("wait", TimeSpan.FromDays(7)) { Next = "mail" });

        var (steps, state) = DryRun.Walk(path, Now, new TestLead());

        Assert.Equal((DryRun.MaxSteps, EnrollmentState.Active), (steps.Count, state));
    }

    [Fact]
    public void Walk_MailBeyondACap_DoesNotGo()
    {
        var (steps, _) = DryRun.Walk(Path(new SendEmailStep("a", Guid.Empty)), Now, new TestLead { Verdict = SendVerdict.Skip });

        Assert.False(Assert.Single(steps).Acts);
    }

    private static ProgramPath Path(params Step[] steps) => new([new ManualTrigger()], steps, [], null, Reentry.Never);
}
