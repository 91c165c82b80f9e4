using Lifecycle.Capture.Domain.Messages;

namespace Capture.UnitTests.Messages;

public sealed class BotNetworksTests
{
    private static readonly BotNetworks Networks = new(["203.0.113.0/24", "2001:db8::/32"]);

    [Theory]
    [InlineData("203.0.113.77", true)]
    [InlineData("::ffff:203.0.113.77", true)]
    [InlineData("2001:db8:1::1", true)]
    [InlineData("203.0.114.1", false)]
    [InlineData("2001:db9::1", false)]
    [InlineData("not an address", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Contains_Address_IsJudgedByTheNetworks(string? address, bool expected) =>
        Assert.Equal(expected, Networks.Contains(address));

    [Fact]
    public void Contains_NoNetworks_NeverHolds() => Assert.False(new BotNetworks([]).Contains("203.0.113.77"));
}
