using System.Text.Json;

namespace Lifecycle.Contracts;

/// <summary>Where a session came from. A touch is a session's start with its source.</summary>
/// <param name="Channel">GA4 default channel group, e.g. <c>Paid Search</c>.</param>
/// <param name="Source">utm_source or the referring site.</param>
/// <param name="Medium">utm_medium.</param>
/// <param name="Campaign">utm_campaign.</param>
/// <param name="Keyword">utm_term or the search keyword.</param>
/// <param name="LandingPage">First page of the session.</param>
/// <param name="ClickId">Advertising click id as <c>name:value</c>.</param>
/// <param name="Time">Start of the session, UTC.</param>
/// <param name="SessionId">The session it began; null for an import.</param>
public sealed record TouchInfo(
    string Channel,
    string? Source,
    string? Medium,
    string? Campaign,
    string? Keyword,
    string? LandingPage,
    string? ClickId,
    DateTimeOffset Time,
    Guid? SessionId);

/// <summary>The company a lead works for; any part may be unknown.</summary>
/// <param name="Name">Company name.</param>
/// <param name="Domain">Web domain.</param>
/// <param name="Industry">Industry in the sender's words.</param>
/// <param name="Employees">Head count.</param>
/// <param name="AnnualRevenue">Yearly revenue in the workspace's currency.</param>
/// <param name="Country">Country in the sender's words.</param>
public sealed record CompanyInfo(string? Name, string? Domain, string? Industry, int? Employees, decimal? AnnualRevenue, string? Country);

/// <summary>An exact amount in one currency.</summary>
/// <param name="CurrencyCode">ISO 4217 code.</param>
/// <param name="Amount">Major units.</param>
public sealed record MoneyInfo(string CurrencyCode, decimal Amount);

/// <summary>Something a known lead did.</summary>
/// <param name="ActivityId">The same for ever, also when it is published again; consumers count it once.</param>
/// <param name="LeadId">The lead.</param>
/// <param name="Type">
/// <c>PAGE</c>, <c>TRACK</c>, <c>FORM</c>, <c>CALL</c>, <c>CHAT</c>, <c>DOWNLOAD</c>, <c>IDENTIFY</c>, <c>SCREEN</c> or <c>GROUP</c>.
/// </param>
/// <param name="Name">Event or page name, e.g. <c>Form Submitted</c>.</param>
/// <param name="Time">When it happened, UTC.</param>
/// <param name="SessionId">Session it belongs to; null outside a session.</param>
/// <param name="Url">Page on which it happened.</param>
/// <param name="Properties">The sender's properties.</param>
public sealed record ActivityInfo(
    Guid ActivityId,
    Guid LeadId,
    string Type,
    string Name,
    DateTimeOffset Time,
    Guid? SessionId,
    string? Url,
    IReadOnlyDictionary<string, JsonElement> Properties);

/// <summary>Why a lead deserves attention, in words a seller reads.</summary>
/// <param name="RuleId">Rule of the scoring model.</param>
/// <param name="Text">E.g. <c>Asked for a demo</c>.</param>
/// <param name="Points">Points at that moment.</param>
/// <param name="Time">When the last evidence occurred; null for attributes.</param>
public sealed record ReasonInfo(string RuleId, string Text, decimal Points, DateTimeOffset? Time);

/// <summary>One row of programme spend.</summary>
/// <param name="Date">Day in the workspace's time zone.</param>
/// <param name="Channel">Channel of its source and medium.</param>
/// <param name="Source">utm_source.</param>
/// <param name="Medium">utm_medium.</param>
/// <param name="Campaign">utm_campaign.</param>
/// <param name="Keyword">utm_term; empty when spend is not by keyword.</param>
/// <param name="Amount">Spend.</param>
/// <param name="Impressions">Times shown.</param>
/// <param name="Clicks">Times clicked.</param>
public sealed record SpendInfo(
    DateOnly Date,
    string Channel,
    string Source,
    string Medium,
    string Campaign,
    string Keyword,
    MoneyInfo Amount,
    long Impressions,
    long Clicks);
