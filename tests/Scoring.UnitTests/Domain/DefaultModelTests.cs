using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

public sealed class DefaultModelTests
{
    private static readonly LeadProfile Vp = Lead(WalkForm, "VP Marketing", 250);

    [Fact]
    public void Score_LeadOfTheWalk_QualifiesAtTheForm()
    {
        var sheet = Scorer.Score(DefaultModel.Instance, Vp, NoSince, Walk);
        var points = sheet.State.PointsAt(WalkForm);

        // Two days and a few minutes decay the first visit: 3 pages and a visit (5) to 4.77; then page 1, visit 2, paper 10, demo 25.
        Assert.Equal(30m, points.Fit);
        Assert.Equal(5m, points.Bant);
        Assert.Equal(42.77m, points.Behavior);
        Assert.Equal(77.77m, points.Total);
        Assert.Equal("A", DefaultModel.Instance.Grade(points.Fit));
        Assert.Equal("QUALIFIED", DefaultModel.Instance.Band(points.Total));

        var outcome = Qualifier.Walk(DefaultModel.Instance, sheet, WalkForm, Standing.New);
        var transition = Assert.Single(outcome.Transitions);
        Assert.True(transition.Qualified);
        Assert.Equal(WalkForm, transition.Time);
        Assert.Equal(77.77m, transition.Score);
        Assert.Equal("Asked for a demo (form demo, 4 Nov 2026)", transition.Reasons[0].Text);
        Assert.Equal("Senior title (VP Marketing)", transition.Reasons[1].Text);
        Assert.Null(transition.Reasons[1].Time);
    }

    [Fact]
    public void Score_OpenAndClickAfterTheForm_RaiseTheTotal()
    {
        var open = Did(7, Activity.EmailType, WalkForm.AddMinutes(1), "OPEN");
        var click = Did(8, Activity.EmailType, WalkForm.AddMinutes(2), "CLICK", "https://acme.example/start");
        var later = WalkForm.AddMinutes(3);

        var totals = new[] { Walk, [.. Walk, open], [.. Walk, open, click] }
            .Select(activities => Scorer.Score(DefaultModel.Instance, Vp, NoSince, activities).State.PointsAt(later).Total).ToArray();

        Assert.Equal([77.77m, 78.77m, 83.77m], totals);
    }

    [Fact]
    public void Score_WithoutTheForm_DoesNotQualify() =>
        Assert.Empty(Qualifier.Walk(
            DefaultModel.Instance, Scorer.Score(DefaultModel.Instance, Vp, NoSince, Walk.Take(5)), WalkForm, Standing.New).Transitions);

    [Theory]
    [InlineData("Chief Revenue Officer", 20)]
    [InlineData("CMO", 20)]
    [InlineData("Head of Growth", 20)]
    [InlineData("Product Manager", 10)]
    [InlineData("Managing Director", 20)]
    [InlineData("Student", -15)]
    [InlineData("Engineer", 0)]
    [InlineData(null, 0)]
    public void Score_Title_GivesFit(string? title, int points) =>
        Assert.Equal(points, Scorer.Score(DefaultModel.Instance, Lead(Start, title), NoSince, []).State.PointsAt(Start).Fit);

    [Theory]
    [InlineData(49, 0)]
    [InlineData(50, 10)]
    [InlineData(999, 10)]
    [InlineData(1_000, 15)]
    public void Score_CompanySize_GivesFit(int employees, int points) =>
        Assert.Equal(points, Scorer.Score(DefaultModel.Instance, Lead(Start, null, employees), NoSince, []).State.PointsAt(Start).Fit);

    [Fact]
    public void Score_SizeAsTrait_GivesFit()
    {
        var lead = Lead(Start, null, null, ("companySize", "51-200 employees"), ("budget", "50k"), ("timing", "no"));
        var points = Scorer.Score(DefaultModel.Instance, lead, NoSince, []).State.PointsAt(Start);

        Assert.Equal((10m, 5m), (points.Fit, points.Bant));
    }

    [Fact]
    public void Score_CareersPage_CountsAgainst()
    {
        var careers = Did(1, "PAGE", Start, "Jobs", "https://acme.example/careers/sales?x=1");

        Assert.Equal(-19m, Scorer.Score(DefaultModel.Instance, Lead(Start), NoSince, [careers]).State.PointsAt(Start).Total);
    }

    [Fact]
    public void Score_ManyPages_StopAtTheCap()
    {
        var pages = Enumerable.Range(1, 30).Select(number => Did(number, "PAGE", Start, "Page", $"https://acme.example/{number}"));

        Assert.Equal(10m, Scorer.Score(DefaultModel.Instance, Lead(Start), NoSince, pages).State.PointsAt(Start).Behavior);
    }

    [Fact]
    public void Score_Everything_StopsAtTheCategoriesCaps()
    {
        var types = new[] { "PAGE", "DOWNLOAD", "CALL", "CHAT" };
        var activities = Enumerable.Range(1, 200).Select(number => number % 5 == 0
            ? Did(number, "FORM", Start, "f", null, number, ("formType", number % 2 == 0 ? "demo" : "contact"))
            : Did(number, types[number % 4], Start, "Event Registered", "https://acme.example/pricing", number));
        var lead = Lead(Start, "CEO", 5_000, ("budget", "1"), ("authority", "1"), ("need", "1"), ("timing", "1"));
        var points = Scorer.Score(DefaultModel.Instance, lead, NoSince, activities).State.PointsAt(Start);

        Assert.Equal(new ScorePoints(115, 35, 60, 20), points);
    }
}
