using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>
/// What Postgres can say of a lead before it is read: a predicate that holds for every lead for which one of the conditions may, so that a
/// page of leads carries few others. The conditions themselves are asked of what it lets through.
/// </summary>
internal static class LeadFilter
{
    /// <summary>Beyond these the predicate would cost more than what it saves.</summary>
    private const int MaxConditions = 8;
    private const int MaxTests = 4;

    private static readonly Dictionary<string, string> Texts = new()
    {
        ["lead.email"] = "email",
        ["lead.captureType"] = "capture_type",
        ["lead.formType"] = "form_type",
        ["lead.stage"] = "stage",
        ["lead.returnReason"] = "return_reason",
        ["lead.channel"] = "channel",
        ["lead.source"] = "source",
        ["lead.medium"] = "medium",
        ["lead.campaign"] = "campaign",
        ["score.grade"] = "grade",
        ["score.band"] = "band",
        ["company.name"] = "(company ->> 'Name')",
        ["company.domain"] = "(company ->> 'Domain')",
        ["company.industry"] = "(company ->> 'Industry')",
        ["company.country"] = "(company ->> 'Country')",
    };

    private static readonly Dictionary<string, string> Numbers = new()
    {
        ["score.total"] = "score",
        ["company.employees"] = "(company ->> 'Employees')::numeric",
        ["company.annualRevenue"] = "(company ->> 'AnnualRevenue')::numeric",
    };

    /// <summary>
    /// The predicate over the row <c>lead</c>, whose literals are added to the parameters; null: every lead has to be looked at.
    /// </summary>
    /// <param name="parameters">Parameters of the statement, by position.</param>
    /// <param name="segments">Segments to judge by.</param>
    public static string? Add(NpgsqlParameterCollection parameters, IReadOnlyCollection<SegmentNode> segments)
    {
        // A lead outside a timed segment may come into it later: it has to be looked at for its timer.
        if (segments.Count > MaxConditions || segments.Any(node => node.IsTimed || node.Condition is null))
        {
            return null;
        }

        var tests = segments.Select(node => node.Condition!.Required.Where(IsKnown).Take(MaxTests).ToList()).ToList();
        return tests.Any(required => required.Count == 0)
            ? null
            : string.Join(" or ", tests.Select(required => $"({string.Join(" and ", required.Select(test => Sql(parameters, test)))})"));
    }

    private static bool IsKnown(RequiredTest test) => Numbers.ContainsKey(test.Field.Name)
        ? test.Literals.All(literal => literal.Type == FieldType.Number)
        : (Texts.ContainsKey(test.Field.Name) || IsTrait(test.Field)) && test.Comparison == Comparison.Equal
            && test.Literals.All(literal => literal.Type == FieldType.Text && IsPlain(literal.AsText()!));

    private static bool IsTrait(Field field) => field.Name == "lead.traits" && IsPlain(field.Key!);

    /// <summary>Of these Postgres and .NET think alike, whatever the database's collation; Postgres takes no NUL.</summary>
    private static bool IsPlain(string text) => text.All(letter => letter is > '\0' and <= '\x7f');

    private static string Sql(NpgsqlParameterCollection parameters, RequiredTest test)
    {
        if (Numbers.TryGetValue(test.Field.Name, out var number))
        {
            var numbers = Literals(parameters, NpgsqlDbType.Numeric, test.Literals.Select(literal => literal.AsNumber()!.Value).ToArray());
            return $"{number} {Operator(test.Comparison)} {numbers}";
        }

        var texts = test.Literals.Select(literal => literal.AsText()!.ToLowerInvariant()).ToArray();
        var literals = Literals(parameters, NpgsqlDbType.Text, texts);
        if (Texts.TryGetValue(test.Field.Name, out var text))
        {
            return Equal(text, literals);
        }

        // A trait that the lead does not have by this very name may be there by another case of it.
        parameters.Add(Bulk.Value(test.Field.Key!));
        return $"(not traits ? ${parameters.Count} or {Equal($"(traits ->> ${parameters.Count})", literals)})";
    }

    private static string Literals<T>(NpgsqlParameterCollection parameters, NpgsqlDbType type, T[] values)
    {
        parameters.Add(values.Length == 1 ? Bulk.Value(values[0]) : Bulk.Array(type, values));
        return values.Length == 1 ? $"${parameters.Count}" : $"any(${parameters.Count})";
    }

    /// <summary>A text with letters beyond ASCII passes.</summary>
    private static string Equal(string text, string literals) =>
        $"(lower({text} collate \"C\") = {literals} or octet_length({text}) <> char_length({text}))";

    private static string Operator(Comparison comparison) => comparison switch
    {
        Comparison.Equal => "=",
        Comparison.Less => "<",
        Comparison.LessOrEqual => "<=",
        Comparison.Greater => ">",
        _ => ">=",
    };
}
