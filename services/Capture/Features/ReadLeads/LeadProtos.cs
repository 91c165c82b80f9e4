using Google.Protobuf.WellKnownTypes;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Company = Lifecycle.Capture.V1.Company;
using LeadMessage = Lifecycle.Capture.V1.Lead;
using TouchMessage = Lifecycle.Common.V1.Touch;

namespace Lifecycle.Capture.Features.ReadLeads;

/// <summary>Leads as the API shows them.</summary>
internal static class LeadProtos
{
    /// <param name="lead">The lead.</param>
    /// <param name="updateTime">Last change.</param>
    /// <param name="currencyCode">Currency of the workspace, in which revenue is told.</param>
    public static LeadMessage ToProto(this Lead lead, DateTimeOffset updateTime, string currencyCode)
    {
        var message = new LeadMessage
        {
            Id = lead.Id.ToString(),
            Email = lead.Email ?? "",
            ExternalId = lead.ExternalId ?? "",
            Stage = StageNames.TryParse(lead.Stage, out var stage) ? stage.ToProto() : Common.V1.Stage.Unspecified,
            CreateTime = lead.CreateTime.ToProto(),
            UpdateTime = updateTime.ToProto(),
            FirstTouch = lead.FirstTouchOrUnknown.ToProto(),
            LastTouch = lead.LastTouchOrUnknown.ToProto(),
            CaptureType = (LeadMessage.Types.CaptureType)(int)lead.Capture.Type,
            FormType = lead.Capture.FormType ?? "",
            Traits = Struct.Parser.ParseJson(lead.Known.TraitsJson()),
        };
        if (lead.CompanyOrNull() is { } company)
        {
            message.Company = new Company
            {
                Name = company.Name ?? "",
                Domain = company.Domain ?? "",
                Industry = company.Industry ?? "",
                Country = company.Country ?? "",
            };
            if (company.Employees is { } employees)
            {
                message.Company.Employees = employees;
            }

            if (company.AnnualRevenue is { } revenue && Money.IsCurrency(currencyCode))
            {
                message.Company.AnnualRevenue = new Money(currencyCode, decimal.Round(revenue, 6)).ToProto();
            }
        }

        return message;
    }

    public static TouchMessage ToProto(this Touch touch) => new()
    {
        Channel = touch.Channel,
        Source = touch.Source ?? "",
        Medium = touch.Medium ?? "",
        Campaign = touch.Campaign ?? "",
        Keyword = touch.Keyword ?? "",
        LandingPage = touch.LandingPage ?? "",
        ClickId = touch.ClickId ?? "",
        Time = touch.Time.ToProto(),
        SessionId = touch.SessionId?.ToString() ?? "",
    };
}
