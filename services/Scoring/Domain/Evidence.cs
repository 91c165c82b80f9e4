using System.Globalization;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>Words for what earned points.</summary>
public static class Evidence
{
    private const int MaxLength = 200;

    /// <summary>What was done, e.g. <c>form demo</c>, <c>page /pricing</c>.</summary>
    public static string? Of(Activity activity) => Clip(activity.Type switch
    {
        "PAGE" => $"page {activity.Path ?? activity.Name}",
        "FORM" => $"form {activity.Text("formId") ?? activity.Text("formType") ?? activity.Name}",
        "DOWNLOAD" => activity.Text("title") ?? activity.Text("name") ?? activity.Path ?? activity.Name,
        "CALL" => activity.Text("durationSeconds") is { } seconds ? $"call of {seconds} s" : "call",
        "CHAT" => "chat",
        Activity.EmailType => activity.Name == "CLICK" ? $"link {activity.Url}" : "e-mail",
        _ => activity.Name,
    });

    /// <summary>The first known attribute that a condition reads, e.g. <c>VP Marketing</c>, <c>250 employees</c>.</summary>
    public static string? Of(LeadProfile profile, IEnumerable<Field> fields)
    {
        foreach (var field in fields)
        {
            if (profile.Get(field).AsText() is { } text)
            {
                return Clip(field.Name == "company.employees" ? $"{text} employees" : text);
            }
        }

        return null;
    }

    /// <summary>What is counted at an instant, e.g. <c>3 visits in 7d</c>, else the first attribute that the condition reads.</summary>
    public static string? Of(Condition condition, LeadSource source, LeadProfile? profile, DateTimeOffset time)
    {
        if (condition.Tallies.Count == 0)
        {
            return profile is null ? null : Of(profile, condition.Fields);
        }

        var tally = condition.Tallies[0];
        var span = tally.Span is { } window ? $" in {Literals.Text(window)}" : "";
        return tally.Kind switch
        {
            TallyKind.Inactive => $"nothing{span}",
            TallyKind.Visits => $"visits: {source.Count(tally, time)}{span}",
            _ => $"{source.Count(tally, time)} times{span}",
        };
    }

    /// <summary>An activity as a seller reads it: <c>form demo, 2 Nov 2026 09:05 UTC</c>.</summary>
    public static string Told(Activity activity) =>
        $"{Words(activity)}, {activity.Time.UtcDateTime.ToString("d MMM yyyy HH:mm", CultureInfo.InvariantCulture)} UTC";

    /// <summary>Rule and evidence as a seller reads them: <c>Asked for a demo (form demo, 2 Nov 2026)</c>.</summary>
    public static string Text(string ruleName, Contribution contribution)
    {
        var day = contribution.IsOfProfile ? null : contribution.Time.UtcDateTime.ToString("d MMM yyyy", CultureInfo.InvariantCulture);
        var parts = string.Join(", ", new[] { contribution.Detail, day }.Where(part => !string.IsNullOrEmpty(part)));
        return parts.Length == 0 ? ruleName : $"{ruleName} ({parts})";
    }

    /// <summary>Without a rule's name beside it, an activity has to say for itself what was done.</summary>
    private static string? Words(Activity activity) => activity.Type switch
    {
        "IDENTIFY" => "gave contact details",
        "GROUP" => "named a company",
        Activity.EmailType when activity.Name == "OPEN" => "opened an e-mail",
        _ => Of(activity),
    };

    private static string Clip(string text) => text.Length <= MaxLength ? text : string.Concat(text.AsSpan(0, MaxLength - 1), "…");
}
