using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Contracts;

namespace Lifecycle.Capture.Storage;

/// <summary>Leads and touches as events carry them.</summary>
internal static class LeadMessages
{
    public static TouchInfo ToInfo(this Touch touch) =>
        new(
            touch.Channel, touch.Source, touch.Medium, touch.Campaign, touch.Keyword, touch.LandingPage, touch.ClickId,
            touch.Time, touch.SessionId);

    public static CompanyInfo? CompanyInfo(this Lead lead) =>
        lead.CompanyOrNull() is { } company
            ? new(company.Name, company.Domain, company.Industry, company.Employees, company.AnnualRevenue, company.Country)
            : null;

    public static LeadCaptured ToCaptured(this Lead lead, Guid eventId, Guid workspaceId) => new(
        eventId, workspaceId, lead.CreateTime, lead.Version, lead.Id, lead.Email, lead.ExternalId,
        lead.Capture.TypeName, lead.Capture.FormType, lead.CreateTime, lead.FirstTouchOrUnknown.ToInfo(), lead.LastTouchOrUnknown.ToInfo(),
        lead.Known.Traits(), lead.CompanyInfo());

    public static LeadUpdated ToUpdated(this Lead lead, Guid eventId, Guid workspaceId) => new(
        eventId, workspaceId, lead.ChangeTime, lead.Version, lead.Id, lead.Email, lead.ExternalId, lead.Capture.TypeName,
        lead.CreateTime, lead.FirstTouchOrUnknown.ToInfo(), lead.LastTouchOrUnknown.ToInfo(), lead.Known.Traits(), lead.CompanyInfo());
}
