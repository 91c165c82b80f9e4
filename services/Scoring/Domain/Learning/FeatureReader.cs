using System.Text.RegularExpressions;

namespace Lifecycle.Scoring.Domain.Learning;

/// <summary>What is known of a lead at an instant, as features. Activities at or after it are not looked at: they may be the outcome's
/// doing.</summary>
public static partial class FeatureReader
{
    private const int MaxValue = 60;
    private const int MaxTraits = 50;
    private static readonly long[] EmployeeLimits = [0, 10, 50, 250, 1_000, 5_000];
    private static readonly long[] RevenueLimits = [0, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

    // What is a name of one lead, or has features of its own, is no attribute to learn from.
    private static readonly string[] Unlearnt =
        ["lead.title", "lead.email", "lead.createTime", "lead.landingPage", "company.name", "company.domain", "company.employees",
            "company.annualRevenue"];

    private static readonly string[] Fields =
        ScoringFields.OfProfile.Names.Where(name => !name.EndsWith(".*", StringComparison.Ordinal) && !Unlearnt.Contains(name)).ToArray();

    private static readonly HashSet<string> TitleTraits = new(StringComparer.OrdinalIgnoreCase)
    {
        "title", "jobTitle", "job_title", "employees", "companySize", "company_size", "email", "name", "firstName",
        "lastName", "phone", "company",
    };

    /// <param name="profile">As it was known then; null: nothing was.</param>
    /// <param name="activities">In any order.</param>
    /// <param name="before">The instant.</param>
    public static IReadOnlyDictionary<Feature, double> Read(LeadProfile? profile, IEnumerable<Activity> activities, DateTimeOffset before)
    {
        var found = new Dictionary<Feature, double>();
        if (profile is not null)
        {
            Attributes(profile, found);
        }

        var (pages, visits) = (0, new HashSet<Guid>());
        foreach (var activity in activities.Where(activity => activity.Time < before))
        {
            if (activity.SessionId is { } session)
            {
                visits.Add(session);
            }

            pages += activity.Type == "PAGE" ? 1 : 0;
            if (Kind(activity) is { } kind)
            {
                found[kind] = 1;
            }
        }

        Count(FeatureKind.Pages, pages);
        Count(FeatureKind.Visits, visits.Count);
        return found;

        void Count(FeatureKind kind, int count)
        {
            if (count > 0)
            {
                found[new(kind, "", "")] = Math.Log2(1 + count);
            }
        }
    }

    private static Feature? Kind(Activity activity)
    {
        var detail = activity.Type switch
        {
            "PAGE" => activity.Path,
            "FORM" => activity.Text("formType"),
            "TRACK" or Activity.EmailType => activity.Name,
            _ => "",
        };
        return detail is null or { Length: > MaxValue } || (detail.Length == 0 && activity.Type is "PAGE" or "TRACK")
            || activity.Type is "IDENTIFY" or "GROUP"
            ? null
            : new(FeatureKind.Did, activity.Type, detail);
    }

    private static void Attributes(LeadProfile profile, Dictionary<Feature, double> found)
    {
        foreach (var field in Fields)
        {
            Attribute(field, profile.Get(ScoringFields.OfProfile.Find(field)!).AsText());
        }

        foreach (var (name, value) in profile.Traits.OrderBy(trait => trait.Key, StringComparer.Ordinal).Take(MaxTraits))
        {
            if (TraitName().IsMatch(name) && !TitleTraits.Contains(name))
            {
                Attribute($"lead.traits.{name}", value);
            }
        }

        foreach (Match word in Word().Matches(profile.Title?.ToLowerInvariant() ?? ""))
        {
            found[new(FeatureKind.TitleWord, "lead.title", word.Value)] = 1;
        }

        Range("company.employees", profile.Employees, EmployeeLimits);
        Range("company.annualRevenue", profile.Company?.AnnualRevenue, RevenueLimits);

        void Attribute(string field, string? value)
        {
            if (value is { Length: > 0 and <= MaxValue })
            {
                found[new(FeatureKind.Attribute, field, value.ToLowerInvariant())] = 1;
            }
        }

        void Range(string field, decimal? number, long[] limits)
        {
            if (number >= 0)
            {
                found[Feature.OfRange(field, number.Value, limits)] = 1;
            }
        }
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,39}$")]
    private static partial Regex TraitName();

    [GeneratedRegex(@"\b\p{L}{2,20}\b")]
    private static partial Regex Word();
}
