using Lifecycle.Kernel;

namespace Lifecycle.Shared.UnitTests.Kernel;

public sealed class ViolationsTests
{
    [Fact]
    public void Require_WhatDoesNotHold_TellsTheTextWithItsValues()
    {
        var violations = new Violations();

        Assert.False(violations.Require(false, "rate", $"rate is {1234.5m:0.00} of {"words"}{null as string}."));

        Assert.Equal(new FieldViolation("rate", "rate is 1234.50 of words."), Assert.Single(violations.Found));
    }

    [Fact]
    public void Require_WhatHolds_DoesNotPutTheTextTogether()
    {
        var (violations, told) = (new Violations(), 0);
        int Tell() => told++;

        Assert.True(violations.Require(true, "rate", $"rate is {Tell()}."));

        Assert.Equal(0, told);
        Assert.False(violations.Any);
    }
}
