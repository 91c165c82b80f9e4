using Lifecycle.Kernel;
using Lifecycle.Kernel.Learning;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Domain.Learning;

namespace Scoring.UnitTests.Domain.Learning;

public sealed class LearnerTests
{
    private static readonly Feature Demo = new(FeatureKind.Did, "FORM", "demo");
    private static readonly Feature Careers = new(FeatureKind.Did, "PAGE", "/careers");
    private static readonly Feature Noise = new(FeatureKind.Attribute, "lead.channel", "direct");
    private static readonly Feature Pages = new(FeatureKind.Pages, "", "");

    [Theory]
    [InlineData(0, 0, "there are 0 won and 0 lost: 50 more won and 50 more lost are missing.")]
    [InlineData(38, 60, "there are 38 won and 60 lost: 12 more won are missing.")]
    [InlineData(50, 49, "there are 50 won and 49 lost: 1 more lost are missing.")]
    public void Train_TooFewLeads_SaysHowManyAreMissing(int won, int lost, string end)
    {
        var error = Learner.Train(Leads(won, lost, (_, _) => []), DefaultModel.Instance.Definition).Error;

        Assert.Equal(ErrorKind.FailedPrecondition, error?.Kind);
        Assert.EndsWith(end, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_NothingKnown_SaysSo() => Assert.Contains(
        "nothing to learn from",
        Learner.Train(Leads(60, 60, (_, _) => []), DefaultModel.Instance.Definition).Error!.Message, StringComparison.Ordinal);

    [Fact]
    public void Train_KnownEffects_AreFoundAndPredictWhatIsObserved()
    {
        var model = Learner.Train(Drawn(4_000), DefaultModel.Instance.Definition).Value;

        // Drawn with log-odds −1 + 1.5 demo − 1 careers + 0.3 per doubling of page views.
        double Coefficient(Feature feature) => model.Features.SingleOrDefault(learnt => learnt.Feature == feature)?.Coefficient ?? 0;
        Assert.Equal(1.5, Coefficient(Demo), 0.25);
        Assert.Equal(-1, Coefficient(Careers), 0.25);
        Assert.Equal(0.3, Coefficient(Pages), 0.1);
        Assert.Equal(0, Coefficient(Noise), 0.2);
        Assert.InRange(model.Report.Auc.Area, 0.68, 0.78);
        Assert.True(model.Report.Brier < model.Report.BaseBrier);
        Assert.InRange(model.Calibration.Slope, 0.85, 1.15);
        Assert.Equal(4_000, model.Report.Bins.Sum(bin => bin.Cases));
        Assert.All(model.Report.Bins, bin => Assert.Equal(bin.Observed, bin.Predicted, 0.08));
        var (probability, factors) = model.Predict(new Dictionary<Feature, double> { [Demo] = 1, [Pages] = 3 });
        Assert.Equal(1 / (1 + Math.Exp(1 - 1.5 - 0.9)), probability, 0.05);
        Assert.Equal(Demo, factors[0].Feature.Feature);
    }

    [Fact]
    public void Train_Draft_IsAValidModelThatTellsWonFromLost()
    {
        var model = Learner.Train(Drawn(2_000), DefaultModel.Instance.Definition).Value;

        var draft = ModelCompiler.Compile(model.Draft, 0);
        Assert.True(draft.Succeeded, draft.Error?.Message);
        var demo = model.Draft.Rules.Single(rule => rule.Condition == Demo.Condition);
        // 1.5 / ln 2 doublings of 20 points.
        Assert.Equal(43, demo.Points, 9.0);
        Assert.Equal("30d", model.Draft.CategoryHalfLives.Behavior);
        Assert.True(model.Draft.Thresholds.Demote < model.Draft.Thresholds.Mql && model.Draft.Thresholds.Mql >= 10);
    }

    [Fact]
    public void Train_SameLeadsInOtherOrder_IsTheSameModel()
    {
        var leads = Drawn(600);
        var (first, second) = (Learner.Train(leads, DefaultModel.Instance.Definition).Value, Learner.Train(
            [.. leads.Reverse()], DefaultModel.Instance.Definition).Value);

        Assert.Equal(
            System.Text.Json.JsonSerializer.Serialize(first, DefaultModel.Json),
            System.Text.Json.JsonSerializer.Serialize(second, DefaultModel.Json));
    }

    [Fact]
    public void Train_NoiseOnly_ClaimsNothing()
    {
        var random = new Random(5);
        var features = Enumerable.Range(0, 40).Select(index => new Feature(FeatureKind.Attribute, "lead.source", $"s{index}")).ToArray();

        var model = Learner.Train(
            Leads(300, 300, (_, _) => features.Where(_ => random.Next(3) == 0).ToDictionary(feature => feature, _ => 1.0)),
            DefaultModel.Instance.Definition).Value;

        // Screened within each fold: leads not seen are told apart no better than by chance.
        Assert.True(model.Report.Auc.Low < 0.5, $"{model.Report.Auc}");
        Assert.True(Math.Abs(model.Predict(features.ToDictionary(feature => feature, _ => 1.0)).Probability - 0.5) < 0.25);
    }

    [Fact]
    public void Train_PerfectSign_StaysFinite()
    {
        var model = Learner.Train(
            Leads(60, 60, (won, _) => won ? new() { [Demo] = 1 } : []), DefaultModel.Instance.Definition).Value;

        Assert.Equal(1, model.Report.Auc.Area);
        Assert.True(double.IsFinite(model.Features.Single().Coefficient));
        Assert.InRange(model.Predict(new Dictionary<Feature, double> { [Demo] = 1 }).Probability, 0.9, 0.999);
    }

    [Fact]
    public void Train_FiftyOfAKind_CarryFiveCoefficients()
    {
        var features = Enumerable.Range(0, 20).Select(index => new Feature(FeatureKind.Attribute, "lead.source", $"s{index}")).ToArray();

        var model = Learner.Train(
            Leads(50, 400, (won, number) => features.Where((_, index) => (number + index) % 4 == 0)
                .ToDictionary(feature => feature, _ => 1.0)),
            DefaultModel.Instance.Definition).Value;

        Assert.Equal(5, model.Features.Count);
    }

    private static DecidedLead[] Leads(int won, int lost, Func<bool, int, Dictionary<Feature, double>> features) =>
        [.. Enumerable.Range(0, won + lost)
            .Select(number => new DecidedLead(Samples.Id(number), number < won, features(number < won, number)))];

    /// <summary>Leads whose fate is drawn by known odds, the same each time.</summary>
    private static DecidedLead[] Drawn(int count)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count).Select(number =>
        {
            var features = new Dictionary<Feature, double>();
            var logOdds = -1.0;
            if (random.NextDouble() < 0.3)
            {
                features[Demo] = 1;
                logOdds += 1.5;
            }

            if (random.NextDouble() < 0.2)
            {
                features[Careers] = 1;
                logOdds -= 1;
            }

            if (random.NextDouble() < 0.5)
            {
                features[Noise] = 1;
            }

            if (random.Next(16) is > 0 and var pages)
            {
                features[Pages] = Math.Log2(1 + pages);
                logOdds += 0.3 * features[Pages];
            }

            return new DecidedLead(Samples.Id(number), random.NextDouble() < LogisticFit.Probability(logOdds), features);
        })];
    }
}
