namespace Lifecycle.Kernel;

/// <summary>How a share differs between those with something and those without.</summary>
/// <param name="With">Leads with it.</param>
/// <param name="WithResults">How many of them have the result.</param>
/// <param name="Without">Leads without it.</param>
/// <param name="WithoutResults">How many of them have the result.</param>
public sealed record Lift(int With, int WithResults, int Without, int WithoutResults)
{
    /// <summary>Fewer on either side tell nothing.</summary>
    public const int LeastLeads = 10;

    private const double Normal95 = 1.959963984540054;

    /// <summary>Share of those with it; null: there are none.</summary>
    public double? WithRate => With > 0 ? (double)WithResults / With : null;

    /// <summary>Share of those without it.</summary>
    public double? WithoutRate => Without > 0 ? (double)WithoutResults / Without : null;

    /// <summary>
    /// How many times as likely the result is with it. Interval of 95 % on the logarithm: variance 1/a − 1/n + 1/b − 1/m (Katz, Baptista,
    /// Azen, Pike: Biometrics 34, 1978). Null where either share is 0, whose logarithm is none.
    /// </summary>
    public Interval? Ratio
    {
        get
        {
            if (WithResults == 0 || WithoutResults == 0)
            {
                return null;
            }

            var ratio = WithRate!.Value / WithoutRate!.Value;
            var error = Math.Sqrt((1.0 / WithResults) - (1.0 / With) + (1.0 / WithoutResults) - (1.0 / Without));
            return new(ratio, ratio * Math.Exp(-Normal95 * error), ratio * Math.Exp(Normal95 * error));
        }
    }

    /// <summary>
    /// Difference of the shares, with the 95 % interval made of Wilson's intervals of both (Newcombe: Statistics in Medicine 17, 1998,
    /// 873–890, method 10); it holds for small numbers and shares of 0 and 1. Null where either side has no leads.
    /// </summary>
    public Interval? Difference
    {
        get
        {
            if (WithRate is not { } with || WithoutRate is not { } without)
            {
                return null;
            }

            var (first, second) = (Wilson(WithResults, With), Wilson(WithoutResults, Without));
            var difference = with - without;
            return new(
                difference,
                difference - Hypotenuse(with - first.Low, second.High - without),
                difference + Hypotenuse(first.High - with, without - second.Low));
        }
    }

    public LiftVerdict Verdict => With < LeastLeads || Without < LeastLeads || Difference is not { } difference
        ? LiftVerdict.TooFew
        : difference.Low > 0 ? LiftVerdict.Raises : difference.High < 0 ? LiftVerdict.Lowers : LiftVerdict.NoClearEffect;

    /// <summary>Wilson's score interval of a share (Journal of the American Statistical Association 22, 1927), 95 %.</summary>
    public static Interval Wilson(int results, int leads)
    {
        const double Square = Normal95 * Normal95;
        var share = (double)results / leads;
        var centre = (share + (Square / (2 * leads))) / (1 + (Square / leads));
        var half = Normal95 / (1 + (Square / leads)) * Math.Sqrt((share * (1 - share) / leads) + (Square / (4.0 * leads * leads)));
        return new(share, centre - half, centre + half);
    }

    private static double Hypotenuse(double one, double other) => Math.Sqrt((one * one) + (other * other));
}

/// <summary>An estimate and the ends of its interval.</summary>
public readonly record struct Interval(double Value, double Low, double High);

/// <summary>What a lift says.</summary>
public enum LiftVerdict
{
    /// <summary>The whole interval of the difference lies above 0.</summary>
    Raises = 1,

    /// <summary>It lies below 0.</summary>
    Lowers = 2,

    /// <summary>It holds 0.</summary>
    NoClearEffect = 3,

    /// <summary>Too few leads on one side.</summary>
    TooFew = 4,
}
