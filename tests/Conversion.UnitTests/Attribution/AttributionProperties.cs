using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Attribution;

public sealed class AttributionProperties
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(2_000);

    [Fact]
    public void Shares_AnyPathAndModel_SumToOne() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), PathKinds().ToArbitrary(), (touches, kind) =>
        {
            var shares = AttributionModels.Shares(kind, touches);
            return shares.Sum(share => share.Weight) == 1m && shares.All(share => share.Weight >= 0);
        }));

    [Fact]
    public void Credit_AnyDealsAndModel_SplitsTheMoneyExactly() =>
        Check.One(Many, Prop.ForAll(Deals().ToArbitrary(), Kinds().ToArbitrary(), (deals, kind) =>
        {
            var credits = AttributionCredits.Credit(kind, deals, [], "USD", 7);
            return credits.Sum(credit => credit.Value.Amount) == deals.Sum(deal => deal.Amount.Amount)
                && Math.Abs(credits.Sum(credit => credit.Conversions) - deals.Length) < 1e-20m;
        }));

    [Fact]
    public void Evaluate_AnyModel_CreditsEveryConversionOnce() =>
        Check.One(Many, Prop.ForAll(Deals().ToArbitrary(), Kinds().ToArbitrary(), (deals, kind) =>
        {
            var paths = deals.Select(deal => new TouchPath(deal.Touches, 3, 2, 30)).ToArray();
            var credits = AttributionCredits.Evaluate(kind, paths, 7);
            return Math.Abs(credits.Sum(credit => credit.Conversions) - (3 * paths.Length)) < 1e-18m
                && Math.Abs(credits.Sum(credit => credit.Value) - (30 * paths.Length)) < 1e-18m;
        }));

    private static Gen<AttributionKind> Kinds() => Gen.Elements(Enum.GetValues<AttributionKind>());

    private static Gen<AttributionKind> PathKinds() =>
        Gen.Elements(Enum.GetValues<AttributionKind>().Where(kind => kind != AttributionKind.Markov).ToArray());

    private static Gen<PathTouch[]> Paths() =>
        from touches in Touches().NonEmptyListOf()
        select touches.ToArray();

    private static Gen<Deal[]> Deals() =>
        from deals in (from touches in Paths()
                       from cents in Gen.Choose(0, 10_000_000)
                       select new Deal(touches, new Money("USD", cents / 100m))).NonEmptyListOf()
        select deals.ToArray();

    private static Gen<PathTouch> Touches() =>
        from channel in Gen.Elements("Direct", "Paid Search", "Email", "Referral", "Organic Search")
        from hours in Gen.Choose(0, 24 * 365)
        from marks in Gen.Choose(0, 7)
        select new PathTouch(channel, channel == "Direct", Start.AddHours(hours), (Milestones)marks);
}
