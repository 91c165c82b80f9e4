using System.Globalization;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>What is known of a lead.</summary>
/// <param name="Email">E-mail address.</param>
/// <param name="CaptureType"><c>FORM</c>, <c>CALL</c>, …</param>
/// <param name="FormType"><c>demo</c>, <c>content</c>, … where the lead came by a form.</param>
/// <param name="CreateTime">When the person became known.</param>
/// <param name="FirstTouch">Where the person came from first.</param>
/// <param name="Traits">Everything else, as text.</param>
/// <param name="Company">Company.</param>
public sealed record LeadProfile(
    string? Email,
    string? CaptureType,
    string? FormType,
    DateTimeOffset CreateTime,
    ProfileTouch FirstTouch,
    IReadOnlyDictionary<string, string> Traits,
    ProfileCompany? Company) : IFieldSource
{
    private static readonly string[] TitleTraits = ["title", "jobTitle", "job_title"];
    private static readonly string[] DepartmentTraits = ["department", "jobFunction", "job_function"];
    private static readonly string[] EmployeesTraits = ["employees", "companySize", "company_size"];

    public string? Title => FirstTrait(TitleTraits);

    /// <summary>Head count of the company, or of a trait that tells it; of a range such as <c>51-200</c> its lower end.</summary>
    public decimal? Employees =>
        Company?.Employees ?? EmployeesTraits.Select(name => FirstNumber(Trait(name))).FirstOrDefault(count => count is not null);

    public FieldValue Get(Field field) => field.Name switch
    {
        "lead.title" => FieldValue.Of(Title),
        "lead.department" => FieldValue.Of(FirstTrait(DepartmentTraits)),
        "lead.seniority" => FieldValue.Of(Trait("seniority")),
        "lead.email" => FieldValue.Of(Email),
        "lead.emailDomain" => FieldValue.Of(Email is { } email && email.LastIndexOf('@') is >= 0 and var at ? email[(at + 1)..] : null),
        "lead.captureType" => FieldValue.Of(CaptureType),
        "lead.formType" => FieldValue.Of(FormType),
        "lead.createTime" => FieldValue.Of(CreateTime),
        "lead.channel" => FieldValue.Of(FirstTouch.Channel),
        "lead.source" => FieldValue.Of(FirstTouch.Source),
        "lead.medium" => FieldValue.Of(FirstTouch.Medium),
        "lead.campaign" => FieldValue.Of(FirstTouch.Campaign),
        "lead.keyword" => FieldValue.Of(FirstTouch.Keyword),
        "lead.landingPage" => FieldValue.Of(FirstTouch.LandingPage),
        "company.name" => FieldValue.Of(Company?.Name),
        "company.domain" => FieldValue.Of(Company?.Domain),
        "company.industry" => FieldValue.Of(Company?.Industry),
        "company.country" => FieldValue.Of(Company?.Country),
        "company.employees" => FieldValue.Of(Employees),
        "company.annualRevenue" => FieldValue.Of(Company?.AnnualRevenue),
        "lead.traits" => FieldValue.Of(Trait(field.Key!)),
        _ => FieldValue.Missing,
    };

    /// <summary>The first of these traits that says anything.</summary>
    private string? FirstTrait(string[] names)
    {
        foreach (var name in names)
        {
            if (Trait(name) is { Length: > 0 } text)
            {
                return text;
            }
        }

        return null;
    }

    private string? Trait(string name)
    {
        if (Traits.TryGetValue(name, out var exact))
        {
            return exact;
        }

        foreach (var (key, value) in Traits)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }

    private static decimal? FirstNumber(string? text)
    {
        var number = (text ?? "").SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(c => char.IsAsciiDigit(c) || c == ',');
        var digits = string.Concat(number.Where(c => c != ','));
        return decimal.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
    }
}

/// <summary>Where a person came from.</summary>
public sealed record ProfileTouch(string? Channel, string? Source, string? Medium, string? Campaign, string? Keyword, string? LandingPage);

/// <summary>The company a lead works for.</summary>
public sealed record ProfileCompany(
    string? Name, string? Domain, string? Industry, int? Employees, decimal? AnnualRevenue, string? Country);
