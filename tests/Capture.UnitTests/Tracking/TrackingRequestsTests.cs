using Lifecycle.Capture.Features.ChangeTracking;
using Lifecycle.Capture.V1;
using PhoneNumber = Lifecycle.Capture.V1.PhoneNumber;
using TrackingNumber = Lifecycle.Capture.V1.TrackingNumber;
using TrackingSettings = Lifecycle.Capture.Domain.Tracking.TrackingSettings;

namespace Capture.UnitTests.Tracking;

public sealed class TrackingRequestsTests
{
    [Fact]
    public void Read_NothingGiven_IsTheDefaults()
    {
        var settings = TrackingRequests.Read(new()).Value;

        Assert.Equal((395, false, true, ""), (settings.CookieDays, settings.RequireConsent, settings.RespectDnt, settings.CookieDomain));
        Assert.Equal(TrackingSettings.DefaultDownloadExtensions, settings.DownloadExtensions);
        Assert.Null(settings.DefaultNumber);
        Assert.Empty(settings.Numbers);
    }

    [Fact]
    public void Read_AnyFormOfTheSame_IsOneForm()
    {
        var settings = TrackingRequests.Read(new()
        {
            CookieDomain = ".Acme.COM",
            CookieDays = 30,
            RespectDnt = false,
            OwnDomains = { "acme.com", "ACME.com.", "acme.io" },
            DownloadExtensions = { ".PDF", "pdf", "zip" },
            DefaultNumber = new() { Number = "+1 (555) 010-0100" },
            Numbers =
            {
                new TrackingNumber { Number = "0049 30 1234567", DisplayNumber = " 030 123 45 67 ", Source = "Google", Campaign = "Spring" }
            },
        }).Value;

        Assert.Equal(("acme.com", 30, false), (settings.CookieDomain, settings.CookieDays, settings.RespectDnt));
        Assert.Equal(["acme.com", "acme.io"], settings.OwnDomains);
        Assert.Equal(["pdf", "zip"], settings.DownloadExtensions);
        Assert.Equal(new("+15550100100", "+1 (555) 010-0100"), settings.DefaultNumber);
        Assert.Equal([new("+49301234567", "030 123 45 67", "google", null, "Spring", null)], settings.Numbers);
    }

    [Fact]
    public void Read_FaultyParts_AreAllNamed()
    {
        var request = new UpdateTrackingRequest
        {
            CookieDomain = "localhost",
            CookieDays = 401,
            OwnDomains = { "acme.com", "https://acme.com" },
            DownloadExtensions = { "tar.gz" },
            DefaultNumber = new PhoneNumber { Number = "555 0100", DisplayNumber = "a|b" },
            Numbers =
            {
                new TrackingNumber { Number = "+15550100200", Source = "google" },
                new TrackingNumber { Number = "+15550100200" },
                new TrackingNumber { Number = "none", DisplayNumber = new string('5', 41), Source = "GOOGLE" },
            },
        };

        var error = TrackingRequests.Read(request).Error!;

        Assert.Equal(
            [
                "cookieDays", "cookieDomain", "defaultNumber.displayNumber", "defaultNumber.number", "downloadExtensions[0]",
                "numbers[1]", "numbers[1].number", "numbers[2]", "numbers[2].displayNumber", "numbers[2].number", "ownDomains[1]",
            ],
            error.Violations.Select(violation => violation.Field).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Read_TooMuchOfEverything_IsRefused()
    {
        var request = new UpdateTrackingRequest
        {
            OwnDomains = { Enumerable.Range(0, 101).Select(index => $"a{index}.example") },
            DownloadExtensions = { Enumerable.Range(0, 101).Select(index => $"e{index}") },
            Numbers =
                { Enumerable.Range(0, 501).Select(index => new TrackingNumber { Number = $"+1555{index:0000000}", Source = $"s{index}" }) },
        };

        Assert.Equal(
            ["downloadExtensions", "numbers", "ownDomains"],
            TrackingRequests.Read(request).Error!.Violations.Select(violation => violation.Field).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ToProto_OfWhatWasRead_ReadsAsTheSame()
    {
        var settings = TrackingRequests.Read(
            new() { CookieDays = 7, Numbers = { new TrackingNumber { Number = "+15550100200", Channel = "Email" } } }).Value;

        var proto = TrackingRequests.ToProto(settings, null);

        Assert.Equal((7, true, null), (proto.CookieDays, proto.RespectDnt, proto.UpdateTime));
        Assert.Equal(("+15550100200", "+15550100200", "Email", ""), (
            proto.Numbers[0].Number, proto.Numbers[0].DisplayNumber, proto.Numbers[0].Channel, proto.Numbers[0].Source));
    }
}
