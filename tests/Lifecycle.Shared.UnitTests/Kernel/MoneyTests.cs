using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel;

namespace Lifecycle.Shared.UnitTests.Kernel;

public sealed class MoneyTests
{
    [Fact]
    public void Split_ThreeEqualWeights_GivesTheLeftoverCentToTheFirst()
    {
        var parts = new Money("USD", 100.00m).Split([1, 1, 1]);

        Assert.Equal([33.34m, 33.33m, 33.33m], parts.Select(part => part.Amount));
    }

    [Fact]
    public void Split_LargestRemainders_TakeTheLeftoverUnits()
    {
        // 10 yen over six equal weights is 1.67 each: four units are left over.
        Assert.Equal([4m, 2m, 4m], new Money("JPY", 10).Split([40, 20, 40]).Select(part => part.Amount));
        Assert.Equal([2m, 2m, 2m, 2m, 1m, 1m], new Money("JPY", 10).Split([1, 1, 1, 1, 1, 1]).Select(part => part.Amount));
    }

    [Fact]
    public void Split_NegativeAmount_MirrorsThePositiveSplit()
    {
        Assert.Equal([-33.34m, -33.33m, -33.33m], new Money("USD", -100m).Split([1, 1, 1]).Select(part => part.Amount));
    }

    [Theory]
    [InlineData("USD")]
    [InlineData("JPY")]
    [InlineData("KWD")]
    public void Split_AnyWeights_SumsToTheAmountInMinorUnits(string currency)
    {
        var cases = from minor in Gen.Choose(-1_000_000_000, 1_000_000_000)
                    from weights in Gen.Choose(0, 1000).ListOf()
                    select (minor, weights: weights.Append(1).Select(weight => (decimal)weight).ToArray());
        var digits = Money.MinorDigits(currency);
        Prop.ForAll(cases.ToArbitrary(), input =>
        {
            var amount = new decimal(Math.Abs(input.minor), 0, 0, input.minor < 0, (byte)digits);
            var parts = new Money(currency, amount).Split(input.weights);
            return parts.Sum(part => part.Amount) == amount
                && parts.All(part => decimal.Round(part.Amount, digits) == part.Amount)
                && parts.Select((part, index) => Math.Abs(part.Amount - (amount * input.weights[index] / input.weights.Sum())))
                    .All(gap => gap <= Unit(digits));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void Split_AllWeightsZero_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new Money("USD", 1).Split([0, 0]));
    }

    [Theory]
    [InlineData("USD", 12000, "12000.00")]
    [InlineData("JPY", 12000, "12000")]
    [InlineData("KWD", 1.5, "1.500")]
    [InlineData("USD", -0.5, "-0.50")]
    public void AmountText_AnyCurrency_HasItsMinorDigits(string currency, double amount, string expected)
    {
        Assert.Equal(expected, new Money(currency, (decimal)amount).AmountText);
    }

    [Fact]
    public void Parse_EveryFault_IsNamed()
    {
        var error = Money.Parse("usd", "12,5").Error!;

        Assert.Equal(ErrorKind.InvalidArgument, error.Kind);
        Assert.Equal(["currencyCode", "amount"], error.Violations.Select(violation => violation.Field));
    }

    [Theory]
    [InlineData("1e3")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("1000000000000000000")]
    [InlineData("0.0000001")]
    public void Parse_AmountOutOfForm_IsRefused(string? amount)
    {
        Assert.False(Money.Parse("USD", amount).Succeeded);
    }

    private static decimal Unit(int digits) => new(1, 0, 0, false, (byte)digits);
}
