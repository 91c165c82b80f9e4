using System.Text.Json;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Storage;
using Npgsql;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>Reads what conditions ask of leads, and nothing else: of a company only the parts that are asked for leave Postgres.</summary>
internal sealed class LeadFactsReader
{
    private const int First = 2;

    /// <summary>What may be asked for, in the order of <see cref="Part"/>.</summary>
    private static readonly string[] Expressions =
    [
        "email", "external_id", "capture_type", "form_type", "stage", "return_reason", "channel", "source", "medium", "campaign", "keyword",
        "landing_page", "score", "grade", "band", "traits", "last_touch", "company ->> 'Name'", "company ->> 'Domain'",
        "company ->> 'Industry'", "(company ->> 'Employees')::int", "(company ->> 'AnnualRevenue')::numeric", "company ->> 'Country'",
    ];

    private static readonly Dictionary<string, Part> CompanyParts = new()
    {
        ["company.name"] = Part.CompanyName,
        ["company.domain"] = Part.CompanyDomain,
        ["company.industry"] = Part.Industry,
        ["company.employees"] = Part.Employees,
        ["company.annualRevenue"] = Part.AnnualRevenue,
        ["company.country"] = Part.Country,
    };

    private readonly int[] ordinals = new int[Expressions.Length];

    /// <param name="conditions">Who asks.</param>
    public LeadFactsReader(IEnumerable<Condition> conditions)
    {
        var names = conditions.SelectMany(LeadColumns.FieldsOf).ToHashSet();
        Columns = string.Join(", ", new[] { "lead_id", "create_time" }.Concat(names.Select(LeadColumns.Of)).Distinct());
        var asked = names.Select(PartOf).Where(part => part >= 0).Distinct().Order().ToList();
        Array.Fill(ordinals, -1);
        for (var place = 0; place < asked.Count; place++)
        {
            ordinals[(int)asked[place]] = First + place;
        }

        Select = string.Join(", ", new[] { "lead_id", "create_time" }.Concat(asked.Select(part => Expressions[(int)part])));
        After = First + asked.Count;
    }

    private enum Part
    {
        Email,
        ExternalId,
        CaptureType,
        FormType,
        Stage,
        ReturnReason,
        Channel,
        Source,
        Medium,
        Campaign,
        Keyword,
        LandingPage,
        Score,
        Grade,
        Band,
        Traits,
        LastTouch,
        CompanyName,
        CompanyDomain,
        Industry,
        Employees,
        AnnualRevenue,
        Country,
    }

    /// <summary>Columns of the table that <see cref="Select"/> reads.</summary>
    public string Columns { get; }

    /// <summary>What to select, first of all.</summary>
    public string Select { get; }

    /// <summary>Ordinal of what is selected after it.</summary>
    public int After { get; }

    /// <summary>The lead of the reader's row.</summary>
    public LeadFacts Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), Text(row, Part.Email), Text(row, Part.ExternalId), Text(row, Part.CaptureType), Text(row, Part.FormType),
        row.IsDBNull(1) ? null : row.GetFieldValue<DateTimeOffset>(1), Text(row, Part.Stage), Text(row, Part.ReturnReason),
        Text(row, Part.Channel) ?? "", Text(row, Part.Source) ?? "", Text(row, Part.Medium) ?? "", Text(row, Part.Campaign) ?? "",
        Has(row, Part.Score, out var score) ? row.GetDecimal(score) : null, Text(row, Part.Grade), Text(row, Part.Band),
        LeadStore.Traits(Text(row, Part.Traits)), Company(row), Text(row, Part.Keyword), Text(row, Part.LandingPage),
        Text(row, Part.LastTouch) is { } touch ? JsonSerializer.Deserialize<TouchFacts>(touch) : null);

    /// <returns>Negative for what is read of every lead.</returns>
    private static Part PartOf(string field) =>
        CompanyParts.TryGetValue(field, out var part) ? part : (Part)Array.IndexOf(Expressions, LeadColumns.Of(field));

    /// <summary>One that is unknown and one of whom nothing is known are the same to a condition.</summary>
    private CompanyFacts? Company(NpgsqlDataReader row)
    {
        var asked = ordinals.AsSpan((int)Part.CompanyName);
        return asked.IndexOfAnyExcept(-1) < 0
            ? null
            : new(
                Text(row, Part.CompanyName), Text(row, Part.CompanyDomain), Text(row, Part.Industry),
                Has(row, Part.Employees, out var employees) ? row.GetInt32(employees) : null,
                Has(row, Part.AnnualRevenue, out var revenue) ? row.GetDecimal(revenue) : null, Text(row, Part.Country));
    }

    private string? Text(NpgsqlDataReader row, Part part) => Has(row, part, out var ordinal) ? row.GetString(ordinal) : null;

    private bool Has(NpgsqlDataReader row, Part part, out int ordinal)
    {
        ordinal = ordinals[(int)part];
        return ordinal >= 0 && !row.IsDBNull(ordinal);
    }
}
