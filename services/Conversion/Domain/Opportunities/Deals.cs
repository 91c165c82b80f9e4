using System.Globalization;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Opportunities;

/// <summary>What happened to a deal.</summary>
public enum OpportunityChangeKind
{
    Opened = 1,
    Advanced = 2,
    Updated = 3,
    Won = 4,
    Lost = 5,
    Reopened = 6,
}

/// <summary>A person on the buyer's side.</summary>
/// <param name="LeadId">The person.</param>
/// <param name="Role">Part in the decision, e.g. <c>DECISION_MAKER</c>.</param>
public sealed record DealContact(Guid LeadId, string Role);

/// <summary>One product of a deal.</summary>
/// <param name="Quantity">Above 0.</param>
/// <param name="UnitPrice">In the deal's currency.</param>
public sealed record DealLine(string Product, decimal Quantity, decimal UnitPrice);

/// <summary>What a deal holds, as far as stages may require it.</summary>
public sealed record DealFacts(
    decimal Amount, DateOnly? ExpectedCloseDate, string? Owner, string? Product, string? Account, Guid? LeadId, int Contacts, int Lines);

/// <summary>The parts of a deal.</summary>
public static class Deals
{
    public const int MaxContacts = 50;

    public const int MaxLines = 100;

    /// <summary>What stages may require.</summary>
    public static IReadOnlyList<string> RequirableFields { get; } =
        ["amount", "expectedCloseDate", "owner", "product", "account", "leadId", "contacts", "lines"];

    /// <summary>Sum of quantity × price, rounded half to even to the currency's minor unit.</summary>
    public static decimal Total(IEnumerable<DealLine> lines, string currencyCode) =>
        Math.Round(lines.Sum(line => line.Quantity * line.UnitPrice), Money.MinorDigits(currencyCode), MidpointRounding.ToEven);

    /// <summary>Errors: INVALID_ARGUMENT naming every field that the step requires and the deal lacks.</summary>
    public static Result<Unit> Enter(PipelineStep step, DealFacts deal)
    {
        var violations = new Violations();
        foreach (var field in step.RequiredFields ?? [])
        {
            violations.Require(Has(deal, field), field, $"{field} is required at the stage {step.Name}.");
        }

        return violations.ToError() is { } error ? error : default(Unit);
    }

    /// <summary>Reads a quantity: above 0, at most 6 decimals and a thousand million.</summary>
    public static decimal? Quantity(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value is > 0 and <= 1_000_000_000 && value.Scale <= 6 ? value : null;

    private static bool Has(DealFacts deal, string field) => field switch
    {
        "amount" => deal.Amount > 0,
        "expectedCloseDate" => deal.ExpectedCloseDate is not null,
        "owner" => deal.Owner is not null,
        "product" => deal.Product is not null,
        "account" => deal.Account is not null,
        "leadId" => deal.LeadId is not null,
        "contacts" => deal.Contacts > 0,
        _ => deal.Lines > 0,
    };
}
