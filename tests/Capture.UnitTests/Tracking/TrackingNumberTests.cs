using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Tracking;

namespace Capture.UnitTests.Tracking;

public sealed class TrackingNumberTests
{
    private static readonly TrackingNumber[] Numbers =
    [
        new("+15550100200", "(555) 010-0200", "google", null, null, null),
        new("+15550100201", "(555) 010-0201", "google", "cpc", "Spring", null),
        new("+15550100202", "(555) 010-0202", null, null, null, "Organic Social"),
        new("+493012345678", "030 12345678", null, "email", null, null),
    ];

    [Theory]
    [InlineData("Paid Search", "google", "cpc", "spring", "+15550100201")]
    [InlineData("Paid Search", "google", "cpc", "summer", "+15550100200")]
    [InlineData("Organic Search", "google", "organic", null, "+15550100200")]
    [InlineData("Organic Social", "linkedin.com", "referral", null, "+15550100202")]
    [InlineData("Email", "newsletter", "email", null, "+493012345678")]
    [InlineData("Referral", "news.example", "referral", null, null)]
    public void For_AVisit_IsTheNumberWithTheMostConditionsMet(
        string channel, string source, string medium, string? campaign, string? expected)
    {
        var visit = new TrafficSource(EvidenceKind.Campaign, channel, source, medium, campaign, null, null);

        Assert.Equal(expected, TrackingNumber.For(Numbers, visit)?.Number);
    }

    [Theory]
    [InlineData("+1 (555) 010-0201", "+15550100201")]
    [InlineData("15550100201", "+15550100201")]
    [InlineData("5550100201", "+15550100201")]
    [InlineData("030 12345678", "+493012345678")]
    [InlineData("0049 30 12345678", "+493012345678")]
    // Too short, unknown, and none at all.
    [InlineData("100201", null)]
    [InlineData("5550100999", null)]
    [InlineData("anonymous", null)]
    [InlineData(null, null)]
    public void Called_ByANumberAsVendorsWriteIt_IsFound(string? text, string? expected)
    {
        Assert.Equal(expected, TrackingNumber.Called(Numbers, text)?.Number);
    }

    [Fact]
    public void Called_NumberThatEndsTwo_IsNeither()
    {
        TrackingNumber[] numbers = [new("+15550100200", "a", "x", null, null, null), new("+445550100200", "b", "y", null, null, null)];

        Assert.Null(TrackingNumber.Called(numbers, "5550100200"));
        Assert.Equal("b", TrackingNumber.Called(numbers, "+445550100200")?.DisplayNumber);
    }

    [Fact]
    public void ToSource_OfARule_HasItsChannelOrTheOneOfItsCampaign()
    {
        Assert.Equal(
            new TrafficSource(EvidenceKind.Campaign, "Paid Search", "google", "cpc", "Spring", null, null),
            Numbers[1].ToSource(ChannelClassifier.Default.Classify));
        Assert.Equal(
            new TrafficSource(EvidenceKind.Campaign, "Organic Social", null, null, null, null, null),
            Numbers[2].ToSource(ChannelClassifier.Default.Classify));
    }
}
