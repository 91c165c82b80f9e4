using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Nurture.Domain.Segments;

/// <summary>The company a lead works for; any part may be unknown.</summary>
public sealed record CompanyFacts(string? Name, string? Domain, string? Industry, int? Employees, decimal? AnnualRevenue, string? Country);

/// <summary>Where a visit came from.</summary>
public sealed record TouchFacts(
    string? Channel, string? Source, string? Medium, string? Campaign, string? Keyword, string? LandingPage, DateTimeOffset? Time);

/// <summary>What conditions and templates may say of a lead.</summary>
/// <param name="Traits">Everything the sender told, by name.</param>
/// <param name="Keyword">Of the first touch, as is what follows it.</param>
/// <param name="LastTouch">Source of the last visit; null where none is known.</param>
public sealed record LeadFacts(
    Guid LeadId,
    string? Email,
    string? ExternalId,
    string? CaptureType,
    string? FormType,
    DateTimeOffset? CreateTime,
    string? Stage,
    string? ReturnReason,
    string Channel,
    string Source,
    string Medium,
    string Campaign,
    decimal? Score,
    string? Grade,
    string? Band,
    IReadOnlyDictionary<string, string> Traits,
    CompanyFacts? Company,
    string? Keyword = null,
    string? LandingPage = null,
    TouchFacts? LastTouch = null) : IFieldSource
{
    /// <summary>
    /// Fields of segment and branch conditions: <c>lead.email</c>, <c>lead.stage</c>, <c>lead.channel</c>, <c>lead.title</c>,
    /// <c>lead.traits.plan</c>, <c>company.employees</c>, <c>score.total</c> and their like.
    /// </summary>
    public static readonly FieldCatalog Catalog = new(
        new Dictionary<string, FieldType>
        {
            ["lead.id"] = FieldType.Text,
            ["lead.email"] = FieldType.Email,
            ["lead.emailDomain"] = FieldType.Domain,
            ["lead.externalId"] = FieldType.Text,
            ["lead.captureType"] = FieldType.Text,
            ["lead.formType"] = FieldType.Text,
            ["lead.createTime"] = FieldType.Time,
            ["lead.stage"] = FieldType.Text,
            ["lead.returnReason"] = FieldType.Text,
            ["lead.channel"] = FieldType.Text,
            ["lead.source"] = FieldType.Text,
            ["lead.medium"] = FieldType.Text,
            ["lead.campaign"] = FieldType.Text,
            ["lead.keyword"] = FieldType.Text,
            ["lead.landingPage"] = FieldType.Text,
            ["lead.lastTouch.channel"] = FieldType.Text,
            ["lead.lastTouch.source"] = FieldType.Text,
            ["lead.lastTouch.medium"] = FieldType.Text,
            ["lead.lastTouch.campaign"] = FieldType.Text,
            ["lead.lastTouch.keyword"] = FieldType.Text,
            ["lead.lastTouch.landingPage"] = FieldType.Text,
            ["lead.lastTouch.time"] = FieldType.Time,
            ["lead.title"] = FieldType.Text,
            ["lead.department"] = FieldType.Text,
            ["lead.firstName"] = FieldType.Text,
            ["lead.lastName"] = FieldType.Text,
            ["lead.phone"] = FieldType.Text,
            ["company.name"] = FieldType.Text,
            ["company.domain"] = FieldType.Domain,
            ["company.industry"] = FieldType.Text,
            ["company.employees"] = FieldType.Number,
            ["company.annualRevenue"] = FieldType.Number,
            ["company.country"] = FieldType.Text,
            ["score.total"] = FieldType.Number,
            ["score.grade"] = FieldType.Text,
            ["score.band"] = FieldType.Text,
        },
        new Dictionary<string, FieldType> { ["lead.traits"] = FieldType.Any });

    /// <summary>What segments may say besides: counts over what the lead did and over mails, days, and other segments.</summary>
    public static readonly FieldCatalog SegmentCatalog = Catalog.With(new FieldCatalog(new Dictionary<string, FieldType>())
    {
        CountsActivities = true,
        Counted = Catalog.With(LeadActivity.Catalog),
        KnowsSegments = true,
        KnowsDates = true,
    });

    public FieldValue Get(Field field) => field.Name switch
    {
        "lead.traits" => FieldValue.Of(Trait(field.Key!)),
        "lead.id" => FieldValue.Of(LeadId.ToString()),
        "lead.email" => FieldValue.Of(Email),
        "lead.emailDomain" => FieldValue.Of(Email?[(Email.IndexOf('@') + 1)..]),
        "lead.externalId" => FieldValue.Of(ExternalId),
        "lead.captureType" => FieldValue.Of(CaptureType),
        "lead.formType" => FieldValue.Of(FormType),
        "lead.createTime" => FieldValue.Of(CreateTime),
        "lead.stage" => FieldValue.Of(Stage),
        "lead.returnReason" => FieldValue.Of(ReturnReason),
        "lead.channel" => FieldValue.Of(Channel),
        "lead.source" => FieldValue.Of(Source),
        "lead.medium" => FieldValue.Of(Medium),
        "lead.campaign" => FieldValue.Of(Campaign),
        "lead.keyword" => FieldValue.Of(Keyword),
        "lead.landingPage" => FieldValue.Of(LandingPage),
        "lead.lastTouch.channel" => FieldValue.Of(LastTouch?.Channel),
        "lead.lastTouch.source" => FieldValue.Of(LastTouch?.Source),
        "lead.lastTouch.medium" => FieldValue.Of(LastTouch?.Medium),
        "lead.lastTouch.campaign" => FieldValue.Of(LastTouch?.Campaign),
        "lead.lastTouch.keyword" => FieldValue.Of(LastTouch?.Keyword),
        "lead.lastTouch.landingPage" => FieldValue.Of(LastTouch?.LandingPage),
        "lead.lastTouch.time" => FieldValue.Of(LastTouch?.Time),
        "company.name" => FieldValue.Of(Company?.Name),
        "company.domain" => FieldValue.Of(Company?.Domain),
        "company.industry" => FieldValue.Of(Company?.Industry),
        "company.employees" => FieldValue.Of((decimal?)Company?.Employees),
        "company.annualRevenue" => FieldValue.Of(Company?.AnnualRevenue),
        "company.country" => FieldValue.Of(Company?.Country),
        "score.total" => FieldValue.Of(Score),
        "score.grade" => FieldValue.Of(Grade),
        "score.band" => FieldValue.Of(Band),
        _ => FieldValue.Of(Trait(field.Name["lead.".Length..])),
    };

    /// <summary>A trait by its name without regard to case, or null.</summary>
    public string? Trait(string name) =>
        Traits.TryGetValue(name, out var exact)
            ? exact
            : Traits.FirstOrDefault(trait => trait.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
