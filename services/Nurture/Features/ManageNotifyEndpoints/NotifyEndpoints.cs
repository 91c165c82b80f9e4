using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Nurture.Features.ManageNotifyEndpoints;

/// <summary>Where the webhooks of notify steps go.</summary>
internal sealed class NotifyEndpoints(SecretBox box)
{
    public WebhookEndpoints<NurtureDbContext> All => new(Find, Disable);

    private async Task<WebhookTarget?> Find(Transaction<NurtureDbContext> tx, WebhookDeliveryRow delivery) =>
        await tx.Db.NotifyEndpoints.FirstOrDefaultAsync(
            row => row.WorkspaceId == tx.WorkspaceId && row.Id == delivery.EndpointId && row.Enabled, tx.CancellationToken) is { } row
            ? new(new(row.Url), [WebhookSecret.Parse(box.Open(row.Secret, NotifyEndpointGrpcService.Owner(tx.WorkspaceId, row.Id))).Value])
            : null;

    private static Task<int> Disable(Transaction<NurtureDbContext> tx, Guid endpointId) =>
        tx.Db.NotifyEndpoints.Where(row => row.WorkspaceId == tx.WorkspaceId && row.Id == endpointId).ExecuteUpdateAsync(
            row => row.SetProperty(one => one.Enabled, false).SetProperty(one => one.DisableReason, "The endpoint answered 410 Gone."),
            tx.CancellationToken);
}
