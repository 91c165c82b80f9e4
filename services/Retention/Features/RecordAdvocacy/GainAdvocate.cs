using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>The first thing a customer does for us in public makes the lead an advocate, once.</summary>
internal static class GainAdvocate
{
    public static async Task Run(Transaction<RetentionDbContext> tx, Guid leadId, string kind, DateTimeOffset time)
    {
        var lead = await LeadProfiles.Lock(tx, leadId);
        if (lead.Advocate)
        {
            return;
        }

        (lead.Advocate, lead.AdvocateTime) = (true, time);
        tx.Publish(new AdvocateGained(tx.NewId(), tx.WorkspaceId, time, 1, leadId, kind));
    }
}
