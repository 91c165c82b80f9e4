using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>The workspace's rule of advocates.</summary>
internal static class AdvocateRules
{
    /// <summary>The newest version; the usual rule, version 0, before any was put: one referral, or one usable piece of advocacy.</summary>
    public static async Task<AdvocateRuleRow> InForce(Transaction<RetentionDbContext> tx) =>
        await tx.Db.AdvocateRules.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId).OrderByDescending(row => row.Version)
            .FirstOrDefaultAsync(tx.CancellationToken)
        ?? new()
        {
            WorkspaceId = tx.WorkspaceId,
            Version = 0,
            MinReferrals = 1,
            ReferralState = "OPEN",
            MinAdvocacy = 1,
            AdvocacyKinds = [],
            NeedsPromoter = false,
            CreateTime = default,
        };
}
