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
        var isNumber = decimal.TryParse(
            amount, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value);
        _ = violations.Require(isNumber, "amount", "amount must be a decimal number such as \"12000.00\".")
            && violations.Require(
                Math.Abs(value) < Limit && value.Scale <= 6, "amount", "amount has at most 18 digits before and 6 after the point.");
        return violations.ToError() is { } error ? error : new Money(currencyCode!, value);
    }

    /// <summary>Three capital letters.</summary>
    public static bool IsCurrency(string? code) => code is { Length: 3 } && code.All(char.IsAsciiLetterUpper);

    /// <summary>Decimals of the currency's minor unit (ISO 4217): 0 for JPY and its like, 3 for KWD and its like, else 2.</summary>
    public static int MinorDigits(string currencyCode) => currencyCode switch
    {
        "BIF" or "CLP" or "DJF" or "GNF" or "ISK" or "JPY" or "KMF" or "KRW" or "PYG" or "RWF" or "UGX" or "VND" or "VUV"
            or "XAF" or "XOF" or "XPF" => 0,
        "BHD" or "IQD" or "JOD" or "KWD" or "LYD" or "OMR" or "TND" => 3,
        _ => 2,
    };

    /// <summary>
    /// Splits the amount by weights in minor units; the parts sum to the amount exactly. What rounding down leaves over goes, one minor
    /// unit each, to the largest remainders (Hamilton's method), ties to the earlier part. Weights are ≥ 0 and not all 0.
    /// </summary>
    public IReadOnlyList<Money> Split(IReadOnlyList<decimal> weights)
    {
        var (total, least) = (0m, 0m);
        for (var index = 0; index < weights.Count; index++)
        {
            (total, least) = (total + weights[index], Math.Min(least, weights[index]));
        }

        if (total <= 0 || least < 0)
        {
            throw new ArgumentException("Weights must be at least 0 and not all 0.", nameof(weights));
        }

        var unit = new decimal(1, 0, 0, false, (byte)Math.Max(MinorDigits(CurrencyCode), Amount.Scale));
        var units = Math.Abs(Amount) / unit;
        var (parts, remainders, left) = (new decimal[weights.Count], new decimal[weights.Count], units);
        for (var index = 0; index < parts.Length; index++)
        {
            var exact = units * (weights[index] / total);
            parts[index] = Math.Floor(exact);
            remainders[index] = exact - parts[index];
            left -= parts[index];
        }

        for (; left >= 1; left--)
        {
            var largest = 0;
            for (var index = 1; index < remainders.Length; index++)
            {
                largest = remainders[index] > remainders[largest] ? index : largest;
            }

            (parts[largest], remainders[largest]) = (parts[largest] + 1, -1);
        }

        var split = new Money[parts.Length];
        for (var index = 0; index < parts.Length; index++)
        {
            split[index] = new Money(CurrencyCode, Math.Sign(Amount) * parts[index] * unit);
        }

        return split;
    }

    /// <summary>The amount as proto text, with at least the currency's minor digits: <c>12000.00</c>.</summary>
    public string AmountText =>
        (Amount + 0.000000m).ToString("0." + new string('0', MinorDigits(CurrencyCode)) + "######", CultureInfo.InvariantCulture)
            .TrimEnd('.');

    public override string ToString() => $"{AmountText} {CurrencyCode}";
}
