using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Stages;

public sealed class StageMachineTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(Stage.Visitor, Stage.Lead, "CAPTURED")]
    [InlineData(Stage.Lead, Stage.Mql, "QUALIFIED")]
    [InlineData(Stage.Mql, Stage.Sql, "ACCEPTED")]
    [InlineData(Stage.Sql, Stage.Opportunity, "OPPORTUNITY_OPENED")]
    [InlineData(Stage.Mql, Stage.Opportunity, "OPPORTUNITY_OPENED")]
    [InlineData(Stage.Opportunity, Stage.Customer, "WON")]
    [InlineData(Stage.Lead, Stage.Customer, "IMPORTED")]
    [InlineData(Stage.Lead, Stage.Advocate, "MANUAL")]
    [InlineData(Stage.Customer, Stage.Advocate, "ADVOCATED")]
    [InlineData(Stage.Mql, Stage.Lead, "RECYCLED")]
    [InlineData(Stage.Sql, Stage.Lead, "RECYCLED")]
    [InlineData(Stage.Mql, Stage.Lead, "SCORE_DECAYED")]
    [InlineData(Stage.Opportunity, Stage.Sql, "LOST")]
    [InlineData(Stage.Opportunity, Stage.Lead, "LOST")]
    [InlineData(Stage.Opportunity, Stage.Mql, "REOPENED")]
    [InlineData(Stage.Disqualified, Stage.Lead, "REOPENED")]
    [InlineData(Stage.Disqualified, Stage.Customer, "WON")]
    [InlineData(Stage.Opportunity, Stage.Disqualified, "DISQUALIFIED")]
    [InlineData(Stage.Advocate, Stage.Churned, "CHURNED")]
    [InlineData(Stage.Churned, Stage.Customer, "REACTIVATED")]
    [InlineData(Stage.Churned, Stage.Customer, "WON")]
    public void Decide_LegalMove_IsMade(Stage from, Stage to, string reason)
    {
        var decided = StageMachine.Decide(At(from), new(to, reason, Noon));

        Assert.Null(decided.Error);
        Assert.Equal((from, to, reason, 5), (decided.Value.From, decided.Value.To, decided.Value.Reason, decided.Value.Version));
    }

    [Theory]
    [InlineData(Stage.Sql, Stage.Lead, "SCORE_DECAYED", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Customer, Stage.Lead, "RECYCLED", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Lead, Stage.Advocate, "ADVOCATED", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Customer, Stage.Disqualified, "DISQUALIFIED", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Lead, Stage.Churned, "CHURNED", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Churned, Stage.Lead, "REOPENED", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Churned, Stage.Customer, "MANUAL", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Disqualified, Stage.Mql, "QUALIFIED", ErrorKind.FailedPrecondition)]
    [InlineData(Stage.Sql, Stage.Lead, "MANUAL", ErrorKind.InvalidArgument)]
    [InlineData(Stage.Lead, Stage.Mql, "RECYCLED", ErrorKind.InvalidArgument)]
    [InlineData(Stage.Lead, Stage.Mql, "BECAUSE", ErrorKind.InvalidArgument)]
    [InlineData(Stage.Lead, Stage.Visitor, "REOPENED", ErrorKind.InvalidArgument)]
    [InlineData(Stage.Mql, Stage.Mql, "MANUAL", ErrorKind.FailedPrecondition)]
    public void Decide_IllegalMove_IsRefused(Stage from, Stage to, string reason, ErrorKind kind) =>
        Assert.Equal(kind, StageMachine.Decide(At(from), new(to, reason, Noon)).Error?.Kind);

    [Fact]
    public void Decide_TimeBeforeLastChange_TakesLastChangeTime()
    {
        var current = new LeadPosition(Stage.Lead, Stage.Lead, 1, Noon);

        Assert.Equal(Noon, StageMachine.Decide(current, new(Stage.Mql, "QUALIFIED", Noon.AddDays(-1))).Value.Time);
    }

    [Fact]
    public void Decide_MoveBack_KeepsHighest()
    {
        var current = new LeadPosition(Stage.Opportunity, Stage.Opportunity, 4, Noon);

        Assert.Equal(Stage.Opportunity, StageMachine.Decide(current, new(Stage.Lead, "RECYCLED", Noon)).Value.Highest);
    }

    [Theory]
    [InlineData(Stage.Sql, new[] { Stage.Lead, Stage.Mql, Stage.Sql, Stage.Opportunity })]
    [InlineData(Stage.Lead, new[] { Stage.Lead, Stage.Mql, Stage.Opportunity })]
    [InlineData(Stage.Lead, new[] { Stage.Lead, Stage.Mql, Stage.Sql, Stage.Lead, Stage.Opportunity })]
    [InlineData(Stage.Lead, new[] { Stage.Opportunity })]
    public void AfterLoss_History_FallsToSqlOnlyWhenAcceptedSinceLead(Stage expected, Stage[] history) =>
        Assert.Equal(expected, StageMachine.AfterLoss(history));

    private static LeadPosition At(Stage stage) => new(stage, StageMachine.IsFunnel(stage) ? stage : Stage.Customer, 4, Noon.AddDays(-1));
}
