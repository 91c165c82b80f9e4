using System.Text.Json;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Kernel;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>The parts of a message that speak of a person.</summary>
/// <param name="Type">Segment type.</param>
/// <param name="Activity">Activity type.</param>
public sealed record PersonSource(
    string Type, string Activity, DateTimeOffset Time, string? UserId, string? PreviousId, JsonElement Properties, JsonElement Traits)
{
    /// <summary>Whether the person's e-mail stands among the traits; where it has a place of its own, addresses there are traits.</summary>
    public bool TakesEmail { get; init; } = true;
}

/// <summary>Reads whom a message speaks of, whether it makes the person known, and what it tells of the person.</summary>
public static class PersonReader
{
    /// <summary>Most facts that one message may tell.</summary>
    public const int MaxFacts = 200;

    private const int MaxKey = 100;
    private const int MaxValue = 2000;
    private const string CompanyPrefix = "company.";

    private static readonly string[] FormTypes = ["demo", "content", "contact", "newsletter", "other"];

    public static PersonFacts Read(PersonSource source, Violations violations)
    {
        var time = source.Time;
        switch (source.Type)
        {
            case "identify":
                var traits = Settle(
                    Collect(new("traits") { TakesEmail = source.TakesEmail }, source.Traits, everything: true, violations), violations);
                return Make(source, traits, traits.Email is null && source.UserId is null ? null : new(time, CaptureType.Identify, null));
            case "alias":
                return new(time, source.UserId, source.PreviousId, null, null, new(time, CaptureType.Identify, null), []);
            case "group":
                var company = new Collected("traits");
                CollectCompany(source.Traits, company);
                return new(time, source.UserId, null, null, null, null, company.Facts);
            case "track" when source.Activity is ActivityTypes.Form:
                var form = CollectForm(source.Properties, violations);
                return Make(source, form, form.IsContact ? new(time, CaptureType.Form, FormType(source.Properties, violations)) : null);
            case "track" when source.Activity is ActivityTypes.Call:
                var call = CollectForm(source.Properties, violations);
                return Make(source, call, call.IsContact ? new(time, CaptureType.Call, null) : null);
            case "track" when source.Activity is ActivityTypes.Chat:
                var chat = CollectForm(source.Properties, violations);
                return Make(source, chat, chat.IsContact ? new(time, CaptureType.Chat, null) : null);
            default:
                return new(time, source.UserId, null, null, null, null, []);
        }
    }

    private static PersonFacts Make(PersonSource source, Collected collected, CaptureEvidence? capture)
    {
        // An empty form field says nothing; only identify takes a trait back by null, and tells of a device's person without naming one.
        var facts = source.Type is "identify" ? collected.Facts
            : capture is null ? [] : collected.Facts.Where(fact => fact.Json != "null").ToList();
        return new(source.Time, source.UserId, null, collected.Email, collected.Phone, capture, facts);
    }

    private static string FormType(JsonElement properties, Violations violations)
    {
        var type = violations.Text(properties, "formType", "properties.formType", 50)?.ToLowerInvariant();
        return type is not null && FormTypes.Contains(type) ? type : "other";
    }

    // Contact data stand in `fields` (an object, or an array of {name, value}), else among the properties, where only what is known by name
    // is taken.
    private static Collected CollectForm(JsonElement properties, Violations violations)
    {
        var collected = Collect(new("properties"), properties, everything: false, violations);
        if (!properties.TryGetProperty("fields", out var fields) || fields.ValueKind == JsonValueKind.Null)
        {
            return Settle(collected, violations);
        }

        if (fields.ValueKind == JsonValueKind.Array)
        {
            foreach (var field in fields.EnumerateArray())
            {
                if (field.ValueKind == JsonValueKind.Object && field.TryGetProperty("name", out var name)
                    && name.ValueKind == JsonValueKind.String
                    && field.TryGetProperty("value", out var value))
                {
                    CollectMember(name.GetString()!, value, collected, everything: true, violations);
                }
            }

            return Settle(collected, violations);
        }

        if (violations.Require(fields.ValueKind == JsonValueKind.Object, "properties.fields", "properties.fields must be an object."))
        {
            collected.Path = "properties.fields";
            foreach (var member in fields.EnumerateObject())
            {
                CollectMember(member.Name, member.Value, collected, everything: true, violations);
            }
        }

        return Settle(collected, violations);
    }

    private static Collected Collect(Collected collected, JsonElement members, bool everything, Violations violations)
    {
        foreach (var member in members.EnumerateObject())
        {
            CollectMember(member.Name, member.Value, collected, everything, violations);
        }

        violations.Require(collected.Facts.Count <= MaxFacts, collected.Path, $"{collected.Path} has more than {MaxFacts} members.");
        return collected;
    }

    private static void CollectMember(string name, JsonElement value, Collected collected, bool everything, Violations violations)
    {
        var known = Names.Canonical(name);
        if (known is not "email" && name.StartsWith(CompanyPrefix, StringComparison.OrdinalIgnoreCase)
            && (everything || known is not null))
        {
            CollectCompanyMember(name[CompanyPrefix.Length..], value, collected);
            return;
        }

        switch (known)
        {
            case "email" when collected.TakesEmail && Names.IsEmail(name):
                CollectEmail($"{collected.Path}.{name}", value, collected, violations);
                break;
            case "email":
                collected.OtherEmails.Add(($"{collected.Path}.{name}", name, value, everything));
                break;
            case "phone":
                var text = value.ValueKind is JsonValueKind.String ? value.GetString()
                    : value.ValueKind is JsonValueKind.Number ? value.GetRawText() : null;
                if (ContactPoints.TryPhone(text, out var phone))
                {
                    collected.Phone = phone;
                    collected.Facts.Add(new("phone", Profile.Json(phone)));
                }
                else if (value.ValueKind == JsonValueKind.Null)
                {
                    AddValue("phone", value, collected);
                }
                else if (everything)
                {
                    AddValue(name, value, collected);
                }

                break;
            case "company.name" when value.ValueKind == JsonValueKind.Object:
                CollectCompany(value, collected);
                break;
            case "company.name" or "company.domain" or "company.industry":
                AddValue(known, value, collected);
                break;
            case "company.employees" or "company.annualRevenue":
                AddNumber(known, name, keepsWords: true, value, collected);
                break;
            case { } trait:
                AddValue(trait, value, collected);
                break;
            default:
                if (everything && name.Length is > 0 and <= MaxKey)
                {
                    AddValue(name, value, collected);
                }

                break;
        }
    }

    private static void CollectEmail(string path, JsonElement value, Collected collected, Violations violations)
    {
        if (value.ValueKind == JsonValueKind.String && !string.IsNullOrWhiteSpace(value.GetString()))
        {
            if (violations.Require(ContactPoints.TryEmail(value.GetString(), out var email), path, $"{path} is no e-mail address."))
            {
                collected.Email = email;
            }
        }
        else
        {
            violations.Require(value.ValueKind is JsonValueKind.Null or JsonValueKind.String, path, $"{path} must be text.");
        }
    }

    // Where the e-mail itself is not told, the first of the others (workEmail) stands for it. Any other is a trait: a company's address is
    // many people's.
    private static Collected Settle(Collected collected, Violations violations)
    {
        foreach (var (path, name, value, everything) in collected.OtherEmails)
        {
            if (collected.TakesEmail && collected.Email is null)
            {
                CollectEmail(path, value, collected, violations);
            }
            else if (everything && name.Length <= MaxKey)
            {
                AddValue(name, value, collected);
            }
        }

        return collected;
    }

    private static void CollectCompany(JsonElement company, Collected collected)
    {
        foreach (var member in company.EnumerateObject())
        {
            CollectCompanyMember(member.Name, member.Value, collected);
        }
    }

    // What a company has no field for becomes a trait: `founded` is companyFounded.
    private static void CollectCompanyMember(string name, JsonElement value, Collected collected)
    {
        if (name.Length is 0 or > MaxKey)
        {
            return;
        }

        var trait = $"company{char.ToUpperInvariant(name[0])}{name[1..]}";
        switch (Names.CanonicalOfCompany(name))
        {
            case ("company.employees" or "company.annualRevenue") and var number:
                AddNumber(number, trait, keepsWords: false, value, collected);
                break;
            case { } known:
                AddValue(known, value, collected);
                break;
            default:
                AddValue(trait, value, collected);
                break;
        }
    }

    // "51-200" becomes the number the company is judged by; the person's own words stay as a trait, as does what is no number.
    private static void AddNumber(string key, string traitName, bool keepsWords, JsonElement value, Collected collected)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            AddValue(key, value, collected);
            return;
        }

        var text =
            value.ValueKind switch { JsonValueKind.String => value.GetString(), JsonValueKind.Number => value.GetRawText(), _ => null };
        var number = value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var exact) ? exact : Profile.Number(text);
        var isNumber = number >= 0;
        if (isNumber)
        {
            collected.Facts.Add(new(key, number!.Value.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture)));
        }

        if (!isNumber || (keepsWords && value.ValueKind == JsonValueKind.String && !text!.All(char.IsAsciiDigit)))
        {
            AddValue(traitName, value, collected);
        }
    }

    private static void AddValue(string key, JsonElement value, Collected collected)
    {
        var text = value.ValueKind == JsonValueKind.String ? Texts.Clip(value.GetString(), MaxValue) ?? "" : null;
        var json = text is null ? value.GetRawText() : Profile.Json(key == "company.domain" ? HostName.OfCompany(text) : text);
        if (json.Length <= MaxValue * 6 && json != "\"\"")
        {
            collected.Facts.Add(new(key, json));
        }
    }

    private sealed class Collected(string path)
    {
        public string Path { get; set; } = path;

        public bool TakesEmail { get; init; } = true;

        public string? Email { get; set; }

        public List<(string Path, string Name, JsonElement Value, bool Everything)> OtherEmails { get; } = [];

        public string? Phone { get; set; }

        public List<Fact> Facts { get; } = [];

        public bool IsContact => Email is not null || Phone is not null;
    }
}
