using System.Globalization;

namespace Lifecycle.Kernel;

/// <summary>An exact amount in one currency.</summary>
/// <param name="CurrencyCode">ISO 4217 code, three capital letters.</param>
/// <param name="Amount">Decimal amount in major units; at most 6 decimals.</param>
public readonly record struct Money(string CurrencyCode, decimal Amount)
{
    private const decimal Limit = 1_000_000_000_000_000_000m;

    /// <summary>Reads the parts of a proto <c>Money</c>; the error names every fault (<c>currencyCode</c>, <c>amount</c>).</summary>
    public static Result<Money> Parse(string? currencyCode, string? amount)
    {
        var violations = new Violations();
        violations.Require(IsCurrency(currencyCode), "currencyCode", "currencyCode must be an ISO 4217 code such as USD.");
        var isNumber = decimal.TryParse(amount, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value);
        _ = violations.Require(isNumber, "amount", "amount must be a decimal number such as \"12000.00\".")
            && violations.Require(Math.Abs(value) < Limit && value.Scale <= 6, "amount", "amount has at most 18 digits before and 6 after the point.");
        return violations.ToError() is { } error ? error : new Money(currencyCode!, value);
    }

    /// <summary>Three capital letters.</summary>
    public static bool IsCurrency(string? code) => code is { Length: 3 } && code.All(char.IsAsciiLetterUpper);

    /// <summary>Decimals of the currency's minor unit (ISO 4217): 0 for JPY and its like, 3 for KWD and its like, else 2.</summary>
    public static int MinorDigits(string currencyCode) => currencyCode switch
    {
        "BIF" or "CLP" or "DJF" or "GNF" or "ISK" or "JPY" or "KMF" or "KRW" or "PYG" or "RWF" or "UGX" or "VND" or "VUV" or "XAF" or "XOF" or "XPF" => 0,
        "BHD" or "IQD" or "JOD" or "KWD" or "LYD" or "OMR" or "TND" => 3,
        _ => 2,
    };

    /// <summary>
    /// Splits the amount by weights in minor units; the parts sum to the amount exactly. What rounding down leaves over goes, one minor unit
    /// each, to the largest remainders (Hamilton's method), ties to the earlier part. Weights are ≥ 0 and not all 0.
    /// </summary>
    public IReadOnlyList<Money> Split(IReadOnlyList<decimal> weights)
    {
        var total = weights.Sum();
        if (total <= 0 || weights.Any(weight => weight < 0))
        {
            throw new ArgumentException("Weights must be at least 0 and not all 0.", nameof(weights));
        }

        var unit = Pow10(-Math.Max(MinorDigits(CurrencyCode), Amount.Scale));
        var units = Math.Abs(Amount) / unit;
        var exact = weights.Select(weight => units * (weight / total)).ToArray();
        var parts = exact.Select(Math.Floor).ToArray();
        var left = (int)(units - parts.Sum());
        foreach (var index in Enumerable.Range(0, parts.Length).OrderByDescending(index => exact[index] - parts[index]).Take(left))
        {
            parts[index]++;
        }

        var (code, sign) = (CurrencyCode, Math.Sign(Amount));
        return parts.Select(part => new Money(code, sign * part * unit)).ToArray();
    }

    /// <summary>The amount as proto text, with at least the currency's minor digits: <c>12000.00</c>.</summary>
    public string AmountText => (Amount + 0.000000m).ToString("0." + new string('0', MinorDigits(CurrencyCode)) + "######", CultureInfo.InvariantCulture).TrimEnd('.');

    public override string ToString() => $"{AmountText} {CurrencyCode}";

    private static decimal Pow10(int exponent)
    {
        var value = 1m;
        for (; exponent < 0; exponent++)
        {
            value /= 10;
        }

        return value;
    }
}
