using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Conversion.Domain.Handoffs;

/// <summary>A seller in a team.</summary>
/// <param name="Owner">Name, as hand-offs spell their owner.</param>
/// <param name="Away">Turns pass the seller by.</param>
public sealed record TeamMember(string Owner, bool Away);

/// <summary>Whose turn it is, and what makes a team sound.</summary>
public static class SalesTeams
{
    /// <summary>Most teams of a workspace: each new hand-off asks them all.</summary>
    public const int MaxTeams = 200;

    public const int MaxMembers = 500;

    /// <summary>Index of the member after <paramref name="last"/> who is there; null where nobody is.</summary>
    /// <param name="last">Index of who had the last turn; -1 before the first.</param>
    public static int? Next(IReadOnlyList<TeamMember> members, int last)
    {
        for (var step = 1; step <= members.Count; step++)
        {
            var index = (int)(((long)last + step) % members.Count);
            if (!members[index].Away)
            {
                return index;
            }
        }

        return null;
    }

    /// <summary>Where the turn stands after the members changed: with who had it last, or where that one stood.</summary>
    public static int Keep(IReadOnlyList<TeamMember> before, IReadOnlyList<TeamMember> after, int last)
    {
        if (last < 0 || last >= before.Count)
        {
            return -1;
        }

        for (var index = 0; index < after.Count; index++)
        {
            if (after[index].Owner == before[last].Owner)
            {
                return index;
            }
        }

        // Whoever moved up into the place has the next turn.
        return Math.Min(last, after.Count) - 1;
    }

    /// <summary>Names every fault of the members.</summary>
    public static void Check(IReadOnlyList<TeamMember> members, string field, Violations violations)
    {
        violations.Require(
            members.Count is >= 1 and <= MaxMembers, field, $"{field} has {members.Count} sellers; 1 to {MaxMembers} are accepted.");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < members.Count; index++)
        {
            _ = violations.RequireText(members[index].Owner, $"{field}[{index}].owner")
                && violations.Require(names.Add(members[index].Owner), $"{field}[{index}].owner",
                    $"{members[index].Owner} is named twice.");
        }
    }
}

/// <summary>A lead as territory rules see it.</summary>
/// <param name="Values">Field name → value, of <see cref="Catalog"/>.</param>
/// <param name="Traits">What else is known, as text.</param>
public sealed record TerritoryLead(IReadOnlyDictionary<string, FieldValue> Values, IReadOnlyDictionary<string, string> Traits)
    : IFieldSource
{
    /// <summary>What rules may read; channel to landing page are those of the first touch.</summary>
    public static FieldCatalog Catalog { get; } = new(
        new Dictionary<string, FieldType>
        {
            ["lead.email"] = FieldType.Email,
            ["lead.emailDomain"] = FieldType.Domain,
            ["lead.title"] = FieldType.Text,
            ["lead.captureType"] = FieldType.Text,
            ["lead.formType"] = FieldType.Text,
            ["lead.createTime"] = FieldType.Time,
            ["lead.score"] = FieldType.Number,
            ["lead.channel"] = FieldType.Text,
            ["lead.source"] = FieldType.Text,
            ["lead.medium"] = FieldType.Text,
            ["lead.campaign"] = FieldType.Text,
            ["lead.keyword"] = FieldType.Text,
            ["lead.landingPage"] = FieldType.Text,
            ["company.name"] = FieldType.Text,
            ["company.domain"] = FieldType.Domain,
            ["company.industry"] = FieldType.Text,
            ["company.country"] = FieldType.Text,
            ["company.employees"] = FieldType.Number,
            ["company.annualRevenue"] = FieldType.Number,
        },
        new Dictionary<string, FieldType> { ["lead.traits"] = FieldType.Any });

    public FieldValue Get(Field field)
    {
        if (field.Key is null)
        {
            return Values.GetValueOrDefault(field.Name);
        }

        var (_, found) = Traits.FirstOrDefault(trait => trait.Key.Equals(field.Key, StringComparison.OrdinalIgnoreCase));
        return FieldValue.Of(found);
    }
}
