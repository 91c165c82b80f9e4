using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Storage;

/// <summary>Tells won deals to GA4 by its Measurement Protocol
/// (developers.google.com/analytics/devguides/collection/protocol/ga4).</summary>
public static class RevenueExport
{
    /// <summary>GA4 takes events that lie at most this far back; an older one is told as of its arrival.</summary>
    private static readonly TimeSpan Backdated = TimeSpan.FromHours(72);

    /// <summary>Queues the event of a win, where the workspace wants it.</summary>
    public static async Task Tell(Transaction<ConversionDbContext> tx, OpportunityRow deal, LeadRow? lead)
    {
        if (await tx.Db.AnalyticsExports.SingleOrDefaultAsync(row => row.Enabled, tx.CancellationToken) is { } settings)
        {
            WebhookDeliveries.Add(tx, settings.Id, settings.EventName, Body(settings, deal, lead, tx.Now), lead?.LeadId);
        }
    }

    private static string Body(AnalyticsExportRow settings, OpportunityRow deal, LeadRow? lead, DateTimeOffset now)
    {
        var parameters = new JsonObject
        {
            ["transaction_id"] = deal.ExternalId ?? deal.Id.ToString(),
            ["value"] = deal.Amount,
            ["currency"] = deal.CurrencyCode,
        };
        if (deal.ReadLines() is { Length: > 0 } lines)
        {
            parameters["items"] = new JsonArray([.. lines.Select(Item)]);
        }

        var body = new JsonObject
        {
            ["client_id"] = lead?.ReadTraits().GetValueOrDefault(settings.ClientIdTrait) is { Length: > 0 } known
                ? known
                : (lead?.LeadId ?? deal.Id).ToString(),
        };
        if (deal.CloseTime is { } closed && now - closed < Backdated)
        {
            body["timestamp_micros"] = (closed.ToUniversalTime() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        }

        body["events"] = new JsonArray(new JsonObject { ["name"] = settings.EventName, ["params"] = parameters });
        return body.ToJsonString(JsonSerializerOptions.Web);
    }

    private static JsonObject Item(DealLine line) =>
        new() { ["item_name"] = line.Product, ["quantity"] = line.Quantity, ["price"] = line.UnitPrice };
}
