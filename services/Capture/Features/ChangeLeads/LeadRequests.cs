using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Capture.Domain;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using CompanyMessage = Lifecycle.Capture.V1.Company;
using TouchMessage = Lifecycle.Common.V1.Touch;

namespace Lifecycle.Capture.Features.ChangeLeads;

/// <summary>Checks the parts that requests about leads have in common; every fault is named.</summary>
internal static class LeadRequests
{
    private const int MaxText = 200;

    public static string? Email(this Violations violations, string text, string field) =>
        violations.Require(ContactPoints.TryEmail(text, out var email), field, $"{field} is no e-mail address.") ? email : null;

    public static string? ExternalId(this Violations violations, string text, string field) =>
        violations.RequireText(text, field, 256)
            && violations.Require(!text.Contains('\0', StringComparison.Ordinal), field, $"{field} holds U+0000.") ? text.Trim() : null;

    /// <summary>
    /// A time that may lie in the past and up to 10 minutes ahead, in whole microseconds; <paramref name="now"/> when not given.
    /// </summary>
    public static DateTimeOffset Time(this Violations violations, Timestamp? given, DateTimeOffset now, string field)
    {
        var time = given.ToTime() ?? now;
        violations.Require(time <= now.AddMinutes(10), field, $"{field} lies more than 10 minutes ahead.");
        violations.Require(time.Year >= 2000, field, $"{field} lies before the year 2000.");
        return new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }

    /// <summary>
    /// Traits as facts, under the names in which forms and identify calls are read. The e-mail is none of them: here it has a field.
    /// </summary>
    /// <param name="violations">Where the faults go.</param>
    /// <param name="traits">The traits.</param>
    /// <param name="email">The e-mail that the request names, in its one form.</param>
    /// <param name="time">When they were told.</param>
    public static IReadOnlyList<Fact> Traits(this Violations violations, Struct? traits, string? email, DateTimeOffset time)
    {
        if (traits is null)
        {
            return [];
        }

        using var document = JsonDocument.Parse(ProtoJson.Format(traits));
        if (!violations.Require(
            !JsonChecks.IsTooDeep(document.RootElement), "traits", $"traits are nested deeper than {JsonChecks.MaxDepth} levels.")
            || !violations.Require(JsonChecks.CanBeStored(document.RootElement), "traits", "traits hold U+0000 or a number beyond 1e300."))
        {
            return [];
        }

        foreach (var (name, value) in traits.Fields.Where(member => Names.IsEmail(member.Key)))
        {
            violations.Require(
                value.KindCase == Value.KindOneofCase.NullValue || (email is not null && EmailKey.Of(value.StringValue) == email),
                $"traits.{name}", $"traits.{name} is no trait: an address belongs in email.");
        }

        var none = JsonDocument.Parse("{}").RootElement;
        return PersonReader.Read(
            new("identify", ActivityTypes.Identify, time, "traits", null, none, document.RootElement) { TakesEmail = false }, violations)
            .Facts.Where(fact => !Names.IsEmail(fact.Key)).ToArray();
    }

    /// <summary>The parts of a company that are set, as facts.</summary>
    public static IEnumerable<Fact> Company(this Violations violations, CompanyMessage? company, string currencyCode)
    {
        if (company is null)
        {
            yield break;
        }

        foreach (var (name, value) in new[]
        {
            ("name", company.Name), ("domain", HostName.OfCompany(company.Domain.Trim())), ("industry", company.Industry),
            ("country", company.Country)
        })
        {
            var field = $"company.{name}";
            if (value.Length > 0 && violations.Require(
                value.Length <= MaxText && !value.Contains('\0', StringComparison.Ordinal), field,
                $"{field} has more than {MaxText} characters or holds U+0000."))
            {
                yield return new(field, Profile.Json(value.Trim()));
            }
        }

        if (company.HasEmployees
            && violations.Require(company.Employees >= 0, "company.employees", "company.employees must be at least 0."))
        {
            yield return new("company.employees", company.Employees.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        if (company.AnnualRevenue is not null && violations.RequireMoney(company.AnnualRevenue, "company.annualRevenue", out var revenue)
            && violations.Require(
                revenue.CurrencyCode == currencyCode, "company.annualRevenue.currencyCode",
                $"company.annualRevenue must be in {currencyCode}, the workspace's currency.")
            && violations.Require(revenue.Amount >= 0, "company.annualRevenue.amount", "company.annualRevenue must be at least 0."))
        {
            yield return new(
                "company.annualRevenue", revenue.Amount.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    /// <summary>A touch told from outside; its channel is derived unless given.</summary>
    public static Touch? Touch(
        this Violations violations, TouchMessage? touch, DateTimeOffset time, DateTimeOffset now, ChannelClassifier channels)
    {
        if (touch is null)
        {
            return null;
        }

        var (source, medium) = (Lower(touch.Source), Lower(touch.Medium));
        var campaign = Texts.Clip(touch.Campaign, MaxText);
        var told = new Touch(
            Texts.Clip(touch.Channel, MaxText) ?? "", source, medium, campaign, Texts.Clip(touch.Keyword, MaxText),
            Texts.Clip(touch.LandingPage, 2048), Texts.Clip(touch.ClickId, MaxText),
            touch.Time is null ? time : violations.Time(touch.Time, now, "firstTouch.time"), null);
        return told.Classified(channels);
    }

    public static string? Lower(string? text) => Texts.Clip(text, MaxText)?.ToLowerInvariant();
}
