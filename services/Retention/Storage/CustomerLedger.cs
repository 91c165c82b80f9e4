using Dapper;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Storage;

/// <summary>Customers, found or made, under their row lock.</summary>
public static class CustomerLedger
{
    private const string Insert = """
        insert into customer (
          workspace_id, id, lead_id, external_id, display_name, churned, start_time, segment, plan, owner, term_months, mrr, total_revenue, version, at_risk, risk_due_time)
        values (@workspaceId, @id, @leadId, @externalId, @name, false, @startTime, '', '', '', 0, 0, 0, 0, false, now())
        """;

    /// <summary>The customer, locked until the end of the transaction; null when there is none.</summary>
    public static Task<CustomerRow?> Lock(Transaction<RetentionDbContext> tx, Guid id) => tx.Db.Customers
        .FromSql($"select * from customer where workspace_id = {tx.WorkspaceId} and id = {id} for update")
        .SingleOrDefaultAsync(tx.CancellationToken);

    /// <summary>The lead's customer, locked; made when there is none. A start before the known one moves it back.</summary>
    internal static async Task<LedgerCustomer> OfLead(
        Transaction<RetentionDbContext> tx, Guid leadId, DateTimeOffset startTime, string? account)
    {
        leadId = await LeadProfiles.Resolve(tx, leadId);
        // Locked, so that a profile that comes at the same moment sees the customer, or the customer the profile.
        var profile = await LeadProfiles.Lock(tx, leadId);
        var erased = profile.Erased;
        var name = erased ? "Erased" : account ?? profile.Name ?? profile.Email ?? "";
        var parameters = new
        {
            workspaceId = tx.WorkspaceId,
            id = tx.NewId(),
            leadId,
            externalId = (string?)null,
            name,
            startTime,
            renames = account is not null && !erased
        };
        await tx.Connection.ExecuteAsync($"{Insert} on conflict (workspace_id, lead_id) where lead_id is not null do nothing", parameters);
        var id = await tx.Connection.QuerySingleAsync<Guid>(
            """
            update customer set start_time = least(start_time, @startTime),
              display_name = case when @renames or display_name = '' then @name else display_name end
            where workspace_id = @workspaceId and lead_id = @leadId returning id
            """,
            parameters);
        await tx.Connection.ExecuteAsync(
            "update referral set converted = true where workspace_id = @workspaceId and referred_lead_id = @leadId and not converted",
            parameters);
        RollupMarks.Add(tx, [id]);
        return (await LedgerBatch.Lock(tx, id))!;
    }

    /// <summary>
    /// The customer of an account without a lead, by its name as external id <c>account:NAME</c>, locked; made when there is none.
    /// </summary>
    internal static async Task<LedgerCustomer> OfAccount(Transaction<RetentionDbContext> tx, string account, DateTimeOffset startTime)
    {
        var parameters = new
        {
            workspaceId = tx.WorkspaceId,
            id = tx.NewId(),
            leadId = (Guid?)null,
            externalId = $"account:{account}",
            name = account,
            startTime
        };
        await tx.Connection.ExecuteAsync(
            $"{Insert} on conflict (workspace_id, external_id) where external_id is not null do nothing", parameters);
        var id = await tx.Connection.QuerySingleAsync<Guid>(
            """
            update customer set start_time = least(start_time, @startTime)
            where workspace_id = @workspaceId and external_id = @externalId returning id
            """,
            parameters);
        RollupMarks.Add(tx, [id]);
        return (await LedgerBatch.Lock(tx, id))!;
    }

    /// <summary>The entry of an external id; null when there is none.</summary>
    public static Task<RevenueRow?> Find(Transaction<RetentionDbContext> tx, string externalId) => tx.Db.Revenue.AsNoTracking()
        .SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.ExternalId == externalId, tx.CancellationToken);

    /// <summary>The entry as it is written now; null when there is none.</summary>
    public static Task<RevenueRow?> Find(Transaction<RetentionDbContext> tx, Guid entryId) => tx.Db.Revenue.AsNoTracking()
        .SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == entryId, tx.CancellationToken);
}
