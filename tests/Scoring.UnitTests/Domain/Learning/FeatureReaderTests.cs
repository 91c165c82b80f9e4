using Lifecycle.Kernel.Expressions;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Domain.Learning;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain.Learning;

public sealed class FeatureReaderTests
{
    private static readonly LeadProfile Profile = new(
        "ada@gmail.com", "FORM", "demo", Start, new("Paid Search", "google", "cpc", "spring", null, null),
        new Dictionary<string, string>
        {
            ["title"] = "VP of O'Reilly (EMEA)",
            ["budget"] = "50k",
            ["plan"] = @"a\b'c",
            ["odd key"] = "x",
            ["note"] = new('x', 61)
        },
        new("Acme", "acme.example", "Software", 250, 999_999m, "DE"));

    [Fact]
    public void Read_ActivitiesAtOrAfterTheDecision_AreNotLookedAt()
    {
        Activity[] all = [.. Walk, Did(90, "TRACK", WalkForm.AddSeconds(1), "Contract Signed", session: 9)];

        var before = FeatureReader.Read(Profile, all, WalkForm);

        Assert.DoesNotContain(before.Keys, feature => feature.Field is "FORM" or "TRACK");
        Assert.Equal(before, FeatureReader.Read(Profile, Walk.SkipLast(1), DateTimeOffset.MaxValue));
        Assert.Equal((Math.Log2(5), Math.Log2(3)), (
            before[new Feature(FeatureKind.Pages, "", "")], before[new Feature(FeatureKind.Visits, "", "")]));
        Assert.Contains(new Feature(FeatureKind.Did, "FORM", "demo"), FeatureReader.Read(Profile, all, WalkForm.AddSeconds(1)).Keys);
    }

    [Fact]
    public void Read_Profile_TellsWhatManyLeadsCanShare()
    {
        var known = FeatureReader.Read(Profile, [], WalkForm).Keys.ToArray();

        Assert.Contains(new Feature(FeatureKind.Attribute, "company.industry", "software"), known);
        Assert.Contains(new Feature(FeatureKind.Attribute, "lead.traits.budget", "50k"), known);
        Assert.Contains(new Feature(FeatureKind.TitleWord, "lead.title", "vp"), known);
        Assert.Contains(new Feature(FeatureKind.Range, "company.employees", "250-1000"), known);
        Assert.Contains(new Feature(FeatureKind.Range, "company.annualRevenue", "0-1000000"), known);
        Assert.DoesNotContain(
            known, feature => feature.Field is "company.name" or "lead.email" or "lead.traits.note" or "lead.traits.odd key");
    }

    [Fact]
    public void Condition_OfEachFeature_HoldsForWhatItWasReadFrom()
    {
        Activity[] did =
        [
            Did(1, "PAGE", Start, "It's", "https://acme.example/it's/new?x=1", 1),
            Did(2, "TRACK", Start, "Video 'x' \\ played"), Did(3, "CALL", Start), Did(4, "EMAIL", Start, "CLICK"),
            Did(5, "FORM", Start, "Form Submitted", null, null, ("formType", "demo")), Did(6, "DOWNLOAD", Start, "Paper"),
        ];

        Assert.All(FeatureReader.Read(Profile, did, Start.AddDays(1)).Keys, feature =>
        {
            var condition = Condition.Parse(feature.Condition, ScoringFields.All);
            Assert.True(condition.Succeeded, feature.Condition);
            Assert.True(did.Any(activity => condition.Value.Holds(new ActivitySource(activity, Profile), Start)), feature.Condition);
            Assert.False(condition.Value.Holds(new ActivitySource(Did(7, "NONE", Start), null), Start), feature.Condition);
        });
    }
}
