using Lifecycle.Kernel;
using Lifecycle.Kernel.Learning;
using Lifecycle.Retention.Domain.Learning;

namespace Retention.UnitTests;

public sealed class ChurnLearnerTests
{
    private static readonly ChurnFacts Nothing = new(0, 0, 0, 0, 0, 0, 0, 0, null, null, "");

    [Theory]
    [InlineData(0, 0, "there are 0 lost and 0 that stayed: 50 more that were lost and 50 more that stayed are missing.")]
    [InlineData(12, 400, "there are 12 lost and 400 that stayed: 38 more that were lost are missing.")]
    public void Train_TooFewCases_SaysHowManyAreMissing(int lost, int stayed, string end)
    {
        var error = ChurnLearner.Train(
            [.. Enumerable.Range(0, lost + stayed).Select(index => Case(index, index < lost, Nothing))], 90).Error;

        Assert.Equal(ErrorKind.FailedPrecondition, error?.Kind);
        Assert.EndsWith(end, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_NothingDiffers_SaysSo() => Assert.Contains(
        "nothing to learn from",
        ChurnLearner.Train([.. Enumerable.Range(0, 200).Select(index => Case(index, index < 100, Nothing))], 90).Error!.Message,
        StringComparison.Ordinal);

    [Fact]
    public void Train_KnownEffects_AreFoundAndPredictWhatIsObserved()
    {
        var cases = Drawn(6_000);
        var model = ChurnLearner.Train(cases, 90).Value;

        // Drawn with log-odds −2 + 1.2 per doubling of failed payments − 0.5 per doubling of use + 1 for a detractor − 0.8 for the plan
        // pro.
        double Coefficient(ChurnFeature feature) => model.Features.SingleOrDefault(learnt => learnt.Feature == feature)?.Coefficient ?? 0;
        Assert.Equal(1.2, Coefficient(new(ChurnFactor.Payment)), 0.2);
        Assert.Equal(-0.5, Coefficient(new(ChurnFactor.Usage)), 0.15);
        Assert.Equal(1, Coefficient(new(ChurnFactor.NpsDetractor)), 0.3);
        // Each plan has a coefficient: the effect is between them.
        Assert.Equal(-0.8, Coefficient(new(ChurnFactor.Plan, "pro")) - Coefficient(new(ChurnFactor.Plan, "basic")), 0.3);
        Assert.Equal(0, Coefficient(new(ChurnFactor.Tenure)), 0.15);
        // What the probabilities drawn with reach themselves.
        Assert.Equal(
            RocCurve.Of([.. cases.Select(one => Probability(one.Facts))], [.. cases.Select(one => one.Lost)]).Area,
            model.Quality.Auc.Area, 0.02);
        Assert.True(model.Quality.Brier < model.Quality.BaseBrier);
        Assert.InRange(model.Quality.Calibration.Slope, 0.85, 1.15);
        Assert.Equal(6_000, model.Quality.Bins.Sum(bin => bin.Cases));
        Assert.All(model.Quality.Bins, bin => Assert.Equal(bin.Observed, bin.Predicted, 0.08));
        Assert.InRange(cases.Average(one => Math.Abs(model.Probability(one.Facts) - Probability(one.Facts))), 0, 0.04);
        var factors = model.Factors(Nothing with { FailedPayments = 3 });
        Assert.True(factors.Single(factor => factor.Feature.Feature.Factor == ChurnFactor.Payment).LogOdds > 0);
        Assert.Equal(
            factors.Select(factor => Math.Abs(factor.LogOdds)).OrderDescending(), factors.Select(factor => Math.Abs(factor.LogOdds)));
    }

    [Fact]
    public void Train_SameCasesInOtherOrder_IsTheSameModel()
    {
        var cases = Drawn(900);

        var (first, second) = (ChurnLearner.Train(cases, 90).Value, ChurnLearner.Train([.. cases.Reverse()], 90).Value);

        Assert.Equal(first.Features, second.Features);
        Assert.Equal((first.Intercept, first.Quality.Auc, first.Quality.Calibration), (
            second.Intercept, second.Quality.Auc, second.Quality.Calibration));
    }

    [Fact]
    public void Train_NoiseOnly_ClaimsNothing()
    {
        var random = new Random(11);
        var cases = Enumerable.Range(0, 2_000).Select(index => Case(
            index, random.NextDouble() < 0.2, Nothing with
            {
                Usage = random.Next(100),
                Tickets = random.Next(5),
                FailedPayments = random.Next(3),
                TenureDays = random.Next(900)
            })).ToArray();

        var model = ChurnLearner.Train(cases, 90).Value;

        Assert.True(model.Quality.Auc.Low < 0.5 + 0.05, $"{model.Quality.Auc}");
        Assert.All(
            [Nothing, Nothing with { Usage = 99, Tickets = 4 }], facts => Assert.Equal(model.BaseRate, model.Probability(facts), 0.08));
    }

    [Fact]
    public void Train_CasesOfOneCustomer_AreTestedByModelsThatNeverSawIt()
    {
        // Each customer has a plan of its own, which tells nothing of others: a model that saw some of its cases would know the rest.
        var cases = Enumerable.Range(0, 20).SelectMany(customer => Enumerable.Range(0, 100).Select(
            instant => Case(
                customer, customer % 2 == 0, Nothing with { Plan = $"plan-{customer}", TenureDays = instant * 90 }, instant))).ToArray();

        var model = ChurnLearner.Train(cases, 90).Value;

        Assert.InRange(model.Quality.Auc.Area, 0, 0.6);
    }

    [Theory]
    [InlineData("2026-03-01", 12, "2026-01-30", 30)]
    [InlineData("2026-03-01", 12, "2025-01-30", 30)]
    [InlineData("2026-03-01", 12, "2026-03-01", 0)]
    [InlineData("2026-03-01", 12, "2026-03-02", 364)]
    [InlineData("2024-01-31", 1, "2026-02-10", 18)]
    [InlineData("2026-03-01", 0, "2026-01-30", null)]
    [InlineData(null, 12, "2026-01-30", null)]
    public void RenewalIn_TermsBeforeAndAfterTheKnownDate_AreWholeLengths(string? known, int term, string day, int? expected) =>
        Assert.Equal(expected, ChurnFacts.RenewalIn(known is null ? null : DateOnly.Parse(known, null), term, DateOnly.Parse(day, null)));

    private static ChurnCase[] Drawn(int count)
    {
        var random = new Random(7);
        return
        [
            .. Enumerable.Range(0, count).Select(index =>
            {
                var facts = new ChurnFacts(
                    random.Next(1_000), random.Next(10_000), random.Next(4) == 0 ? 0 : random.Next(200), random.Next(200), random.Next(4),
                    random.Next(3) == 0 ? random.Next(4) : 0, random.Next(6), 0,
                    random.Next(3) switch { 0 => null, 1 => random.Next(7), _ => random.Next(7, 11) },
                    random.Next(300), random.Next(2) == 0 ? "pro" : "basic");
                return Case(index, random.NextDouble() < Probability(facts), facts);
            }),
        ];
    }

    private static double Probability(ChurnFacts facts) => 1 / (1 + Math.Exp(
        2 - (1.2 * Math.Log2(1 + facts.FailedPayments)) + (0.5 * Math.Log2(1 + (double)facts.Usage)) - (facts.NpsScore <= 6 ? 1 : 0)
            + (facts.Plan == "pro" ? 0.8 : 0)));

    private static ChurnCase Case(int customer, bool lost, ChurnFacts facts, int instant = 0) => new(
        new Guid(customer + 1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), DateTimeOffset.UnixEpoch.AddDays(instant * 90), lost, facts);
}
