using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Handoffs;

public sealed class HandoffMachineTests
{
    [Theory]
    [InlineData(HandoffState.Open, true)]
    [InlineData(HandoffState.Accepted, false)]
    [InlineData(HandoffState.Returned, false)]
    [InlineData(HandoffState.Expired, false)]
    public void Accept_State_OnlyOpenIsAccepted(HandoffState state, bool accepted) =>
        Assert.Equal(accepted, HandoffMachine.Accept(state).Succeeded);

    [Theory]
    [InlineData(HandoffState.Open, Stage.Mql, true)]
    [InlineData(HandoffState.Accepted, Stage.Sql, true)]
    [InlineData(HandoffState.Accepted, Stage.Opportunity, false)]
    [InlineData(HandoffState.Returned, Stage.Lead, false)]
    [InlineData(HandoffState.Expired, Stage.Lead, false)]
    public void Return_State_OnlyWhileSalesHoldTheLead(HandoffState state, Stage lead, bool returned) =>
        Assert.Equal(returned, HandoffMachine.Return(state, lead).Succeeded);

    [Theory]
    [InlineData(Stage.Mql, "QUALIFIED", null)]
    [InlineData(Stage.Opportunity, "OPPORTUNITY_OPENED", HandoffState.Accepted)]
    [InlineData(Stage.Lead, "SCORE_DECAYED", HandoffState.Expired)]
    [InlineData(Stage.Lead, "RECYCLED", HandoffState.Returned)]
    [InlineData(Stage.Disqualified, "DISQUALIFIED", HandoffState.Expired)]
    public void AfterMove_LeadMovedOtherwise_ClosesTheOpenHandoff(Stage to, string reason, HandoffState? expected) =>
        Assert.Equal(expected, HandoffMachine.AfterMove(new(Stage.Mql, to, to, reason, 3, DateTimeOffset.UnixEpoch)));
}
