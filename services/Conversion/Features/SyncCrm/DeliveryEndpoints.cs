using Lifecycle.Conversion.Features.ExportRevenue;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.SyncCrm;

/// <summary>Where this service's deliveries go: to CRMs, signed, or to the analytics collector.</summary>
public sealed class DeliveryEndpoints(SecretBox box)
{
    private const string Gone = "The endpoint answered 410 Gone.";

    public WebhookEndpoints<ConversionDbContext> All => new(Find, Disable);

    private async Task<WebhookTarget?> Find(Transaction<ConversionDbContext> tx, WebhookDeliveryRow delivery)
    {
        var connection = await tx.Db.CrmConnections.SingleOrDefaultAsync(row => row.Id == delivery.EndpointId, tx.CancellationToken);
        if (connection is { Enabled: true, OutboundUrl: { } url })
        {
            return new(new(url), connection.Signing(box, tx.Now));
        }

        return connection is null
            && await tx.Db.AnalyticsExports.SingleOrDefaultAsync(row => row.Id == delivery.EndpointId,
                tx.CancellationToken) is { Enabled: true } export
                ? new(ManageAnalyticsExport.Collector(export, box), [])
                : null;
    }

    private static async Task Disable(Transaction<ConversionDbContext> tx, Guid endpointId)
    {
        await tx.Db.CrmConnections.Where(row => row.Id == endpointId).ExecuteUpdateAsync(
            row => row.SetProperty(one => one.Enabled, false).SetProperty(one => one.DisableReason, Gone)
                .SetProperty(one => one.PullDueTime, (DateTimeOffset?)null),
            tx.CancellationToken);
        await tx.Db.AnalyticsExports.Where(row => row.Id == endpointId).ExecuteUpdateAsync(
            row => row.SetProperty(one => one.Enabled, false).SetProperty(one => one.DisableReason, Gone), tx.CancellationToken);
    }
}
