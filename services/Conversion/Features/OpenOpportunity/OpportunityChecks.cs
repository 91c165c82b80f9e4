using System.Globalization;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using OpportunityChangeRow = Lifecycle.Conversion.Storage.OpportunityChangeRow;
using OpportunityRow = Lifecycle.Conversion.Storage.OpportunityRow;

namespace Lifecycle.Conversion.Features.OpenOpportunity;

/// <summary>Checks that the writes of deals share.</summary>
public static class OpportunityChecks
{
    public static void Texts(Violations violations, params ReadOnlySpan<(string Field, string Text)> texts)
    {
        foreach (var (field, text) in texts)
        {
            violations.Require(text.Length <= 500, field, $"{field} has {text.Length} characters; at most 500 are accepted.");
        }
    }

    /// <summary>An amount of at least 0 in the workspace's currency; null where none is given or it is at fault.</summary>
    public static decimal? Amount(Violations violations, Common.V1.Money? message, string field, string currencyCode)
    {
        if (message is null || !violations.RequireMoney(message, field, out var money))
        {
            return null;
        }

        var isOurs = violations.Require(
            money.CurrencyCode == currencyCode, $"{field}.currencyCode",
            $"{money.CurrencyCode} is not the workspace's currency {currencyCode}.");
        return violations.Require(money.Amount >= 0, $"{field}.amount", $"{field}.amount must be at least 0.") && isOurs ? money.Amount
            : null;
    }

    /// <summary>Contacts with codes as roles, each person once.</summary>
    public static IReadOnlyList<DealContact> Contacts(Violations violations, IReadOnlyList<OpportunityContact> contacts, string field)
    {
        violations.Require(
            contacts.Count <= Deals.MaxContacts, field, $"{field} has {contacts.Count} people; at most {Deals.MaxContacts} are accepted.");
        var found = new List<DealContact>();
        for (var index = 0; index < Math.Min(contacts.Count, Deals.MaxContacts); index++)
        {
            var (contact, path) = (contacts[index], $"{field}[{index}]");
            violations.Require(
                contact.Role.Length is >= 1 and <= 50
                    && contact.Role.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '_'),
                $"{path}.role",
                $"{path}.role must be a code such as DECISION_MAKER.");
            if (violations.RequireId(contact.LeadId, $"{path}.leadId", out var leadId)
                && violations.Require(found.All(earlier => earlier.LeadId != leadId), $"{path}.leadId", $"{leadId} is named twice."))
            {
                found.Add(new(leadId, contact.Role));
            }
        }

        return found;
    }

    /// <summary>The same people, by the ids that they live on as.</summary>
    public static async Task<IReadOnlyList<DealContact>> Present(Transaction<ConversionDbContext> tx, IReadOnlyList<DealContact> contacts)
    {
        var ids = contacts.Select(contact => contact.LeadId).ToArray();
        var merged = ids.Length == 0
            ? []
            : await tx.Db.Leads.Where(lead => ids.Contains(lead.LeadId) && lead.MergedInto != null)
                .ToDictionaryAsync(lead => lead.LeadId, lead => lead.MergedInto!.Value, tx.CancellationToken);
        return [.. contacts.Select(contact => contact with { LeadId = merged.GetValueOrDefault(contact.LeadId, contact.LeadId) })
            .DistinctBy(contact => contact.LeadId)];
    }

    /// <summary>Lines with quantities above 0 and prices of at least 0 in the workspace's currency.</summary>
    public static IReadOnlyList<DealLine> Lines(
        Violations violations, IReadOnlyList<OpportunityLine> lines, string field, string currencyCode)
    {
        violations.Require(lines.Count <= Deals.MaxLines, field,
            $"{field} has {lines.Count} products; at most {Deals.MaxLines} are accepted.");
        var found = new List<DealLine>();
        for (var index = 0; index < Math.Min(lines.Count, Deals.MaxLines); index++)
        {
            var (line, path) = (lines[index], $"{field}[{index}]");
            violations.RequireText(line.Product, $"{path}.product", 500);
            var quantity = Deals.Quantity(line.Quantity);
            violations.Require(quantity is not null, $"{path}.quantity",
                $"{path}.quantity must be a number above 0 such as \"2\" or \"0.5\".");
            violations.Require(line.UnitPrice is not null, $"{path}.unitPrice", $"{path}.unitPrice is required.");
            if (Amount(violations, line.UnitPrice, $"{path}.unitPrice", currencyCode) is { } price && quantity is { } count)
            {
                found.Add(new(line.Product.Trim(), count, price));
            }
        }

        violations.Require(
            found.Sum(line => line.Quantity * line.UnitPrice) < 1_000_000_000_000_000_000m, field, $"The sum of {field} is too large.");
        return found;
    }

    public static Error NoStep(string stage, IEnumerable<PipelineStep> steps) =>
        Error.Invalid("stage", $"{stage} is no stage of the pipeline; it has {string.Join(", ", steps.Select(step => step.Name))}.");

    public static string? Text(string text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    public static Opportunity ToProto(this OpportunityRow row) => new()
    {
        Id = row.Id.ToString(),
        LeadId = row.LeadId?.ToString() ?? "",
        ExternalId = row.ExternalId ?? "",
        Name = row.Name,
        Amount = new Money(row.CurrencyCode, row.Amount).ToProto(),
        PipelineId = row.PipelineId.ToString(),
        Stage = row.Stage,
        State = (Opportunity.Types.State)(int)row.State,
        Owner = row.Owner ?? "",
        Product = row.Product ?? "",
        Account = row.Account ?? "",
        CreateTime = row.CreateTime.ToProto(),
        ExpectedCloseDate = row.ExpectedCloseDate?.ToString("yyyy-MM-dd", null) ?? "",
        CloseTime = row.CloseTime.ToProto(),
        LoseReason = row.LoseReason ?? "",
        Version = row.Version,
        Competitor = row.Competitor ?? "",
        Contacts =
        {
            row.ReadContacts().Select(contact => new OpportunityContact { LeadId = contact.LeadId.ToString(), Role = contact.Role }),
        },
        Lines =
        {
            row.ReadLines().Select(line => new OpportunityLine
            {
                Product = line.Product,
                Quantity = line.Quantity.ToString(CultureInfo.InvariantCulture),
                UnitPrice = new Money(row.CurrencyCode, line.UnitPrice).ToProto(),
            }),
        },
        StageEnterTime = row.StageTime.ToProto(),
        ReopenedFromId = row.ReopenedFrom?.ToString() ?? "",
        ReopenedAsId = row.ReopenedAs?.ToString() ?? "",
    };

    public static OpportunityChange ToProto(this OpportunityChangeRow row, string currencyCode)
    {
        var change = new OpportunityChange
        {
            OpportunityId = row.OpportunityId.ToString(),
            Version = row.Version,
            Type = (OpportunityChange.Types.Type)(int)row.Kind,
            FromStage = row.FromStage,
            ToStage = row.ToStage,
            Amount = new Money(currencyCode, row.Amount).ToProto(),
            ExpectedCloseDate = row.ExpectedCloseDate?.ToString("yyyy-MM-dd", null) ?? "",
            Reason = row.Reason ?? "",
            Competitor = row.Competitor ?? "",
            Actor = row.Actor,
            Time = row.Time.ToProto(),
        };
        if (row.StaySeconds is { } seconds)
        {
            change.DaysInStage = seconds / 86_400.0;
        }

        return change;
    }
}
