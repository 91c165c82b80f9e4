using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;

namespace Scoring.UnitTests.Domain;

/// <summary>Leads, activities and models that tests share.</summary>
internal static class Samples
{
    public static readonly DateTimeOffset Start = new(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);

    public static readonly IReadOnlyDictionary<string, DateTimeOffset> NoSince = new Dictionary<string, DateTimeOffset>();

    public static Activity Did(
        int number, string type, DateTimeOffset time, string name = "", string? url = null, int? session = null,
        params (string Key, object Value)[] properties) =>
        new(
            Id(number), type, name, time, session is { } visit ? Id(1_000_000 + visit) : null, url,
            properties.ToDictionary(property => property.Key, property => JsonSerializer.SerializeToElement(property.Value)));

    public static Guid Id(int number) => new($"00000000-0000-7000-8000-{number:x12}");

    public static LeadProfile Lead(
        DateTimeOffset createTime, string? title = null, int? employees = null, params (string Key, string Value)[] traits) => new(
        "ada@example.com", "FORM", "demo", createTime, new("Paid Search", "google", "cpc", "spring", null, null),
        traits.Append(("title", title ?? "")).ToDictionary(trait => trait.Item1, trait => trait.Item2),
        new(null, null, null, employees, null, null));

    /// <summary>The lead of the walk: three pages, back two days later from LinkedIn, a white paper, a demo request.</summary>
    public static IReadOnlyList<Activity> Walk { get; } =
    [
        Did(1, "PAGE", Start, "Home", "https://acme.example/?utm_source=google", 1),
        Did(2, "PAGE", Start.AddMinutes(1), "Product", "https://acme.example/product", 1),
        Did(3, "PAGE", Start.AddMinutes(2), "Blog", "https://acme.example/blog", 1),
        Did(4, "PAGE", Start.AddDays(2), "Home", "https://acme.example/", 2),
        Did(5, "DOWNLOAD", Start.AddDays(2).AddMinutes(3), "Content Downloaded", "https://acme.example/papers", 2, (
            "title", "White paper")),
        Did(6, "FORM", Start.AddDays(2).AddMinutes(5), "Form Submitted", "https://acme.example/demo", 2, ("formId", "demo"), (
            "formType", "demo")),
    ];

    public static DateTimeOffset WalkForm => Walk[^1].Time;

    /// <summary>One to so many.</summary>
    public static Gen<T[]> Some<T>(this Gen<T> one, int most) => Gen.Choose(1, most).SelectMany(count => one.ArrayOf(count));

    public static RuleDefinition Rule(string id, Category category, string condition, double points) =>
        new(id, id, category, condition, points);

    public static ScoringModel Model(params RuleDefinition[] rules) => ModelCompiler.Compile(Definition(rules), 1).Value;

    public static ModelDefinition Definition(params RuleDefinition[] rules) => new(
        rules, new(null, null, null), new(null, "30d", null), new(60, 85, 40), [new("COLD", 0), new("HOT", 60)]);
}
