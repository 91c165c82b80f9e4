using System.Runtime.CompilerServices;

namespace Lifecycle.Kernel;

/// <summary>Collects every fault of a request, so that the caller can mend all of them at once.</summary>
public sealed class Violations
{
    private readonly List<FieldViolation> found = [];

    public bool Any => found.Count > 0;

    public IReadOnlyList<FieldViolation> Found => found;

    public void Add(string field, string message) => found.Add(new(field, message));

    /// <summary>Adds the fault unless <paramref name="holds"/>; answers <paramref name="holds"/>.</summary>
    public bool Require(bool holds, string field, string message)
    {
        if (!holds)
        {
            Add(field, message);
        }

        return holds;
    }

    /// <summary>As above; the message is made only where it is told.</summary>
    public bool Require(bool holds, string field, [InterpolatedStringHandlerArgument(nameof(holds))] FaultText message)
    {
        if (!holds)
        {
            Add(field, message.ToString());
        }

        return holds;
    }

    /// <summary>Text that is there, can be kept and is no longer than <paramref name="maxLength"/> characters.</summary>
    public bool RequireText(string? text, string field, int maxLength = 200) =>
        Require(!string.IsNullOrWhiteSpace(text), field, $"{field} is required.")
        && Require(text!.Length <= maxLength, field, $"{field} has {text.Length} characters; at most {maxLength} are accepted.")
        && Require(!text.Contains('\0'), field, $"{field} holds the character U+0000, which cannot be kept.");

    /// <summary>A UUID.</summary>
    public bool RequireId(string? text, string field, out Guid id)
    {
        id = Guid.Empty;
        return Require(!string.IsNullOrEmpty(text), field, $"{field} is required.")
            && Require(Guid.TryParse(text, out id), field, $"{field} must be a UUID.");
    }

    /// <summary>A day such as <c>2026-03-31</c>.</summary>
    public bool RequireDate(string? text, string field, out DateOnly date)
    {
        date = default;
        return Require(DateOnly.TryParseExact(text, "yyyy-MM-dd", out date), field, $"{field} must be a day such as 2026-03-31.");
    }

    /// <summary>Amount and currency of a proto money, each fault named under <paramref name="field"/>.</summary>
    public bool RequireMoney(string? currencyCode, string? amount, string field, out Money money)
    {
        var parsed = Money.Parse(currencyCode, amount);
        money = parsed.Succeeded ? parsed.Value : default;
        foreach (var violation in parsed.Error?.Violations ?? [])
        {
            Add($"{field}.{violation.Field}", violation.Message);
        }

        return parsed.Succeeded;
    }

    /// <summary>The error that names every fault, or null when there is none.</summary>
    public Error? ToError() => Any ? Error.Invalid(found.ToArray()) : null;
}
