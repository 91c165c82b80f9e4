using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Storage;

/// <summary>
/// Customers and their ledgers, changed under the customer's row lock. Sums and MRR changes follow from the entries in order of time, so an entry that
/// comes late, with an earlier time, gives the same ledger as one that came in order.
/// </summary>
public static class CustomerLedger
{
    /// <summary>The customer, locked until the end of the transaction; null when there is none.</summary>
    public static Task<CustomerRow?> Lock(Transaction<RetentionDbContext> tx, Guid id) => tx.Db.Customers
        .FromSql($"select * from customer where workspace_id = {tx.WorkspaceId} and id = {id} for update")
        .SingleOrDefaultAsync(tx.CancellationToken);

    /// <summary>The lead's customer, locked; made when there is none. A start before the known one moves it back.</summary>
    public static async Task<CustomerRow> OfLead(Transaction<RetentionDbContext> tx, Guid leadId, DateTimeOffset startTime, string? account)
    {
        leadId = await LeadProfiles.Resolve(tx, leadId);
        var profile = await LeadProfiles.Find(tx, leadId);
        var name = account ?? profile?.Name ?? profile?.Email ?? "";
        await tx.Connection.ExecuteAsync(
            """
            insert into customer (workspace_id, id, lead_id, display_name, churned, start_time, segment, plan, mrr, total_revenue, version)
            values (@workspaceId, @id, @leadId, @name, false, @startTime, '', '', 0, 0, 0)
            on conflict (workspace_id, lead_id) where lead_id is not null do nothing
            """,
            new { workspaceId = tx.WorkspaceId, id = tx.NewId(), leadId, name, startTime });
        var customer = await tx.Db.Customers
            .FromSql($"select * from customer where workspace_id = {tx.WorkspaceId} and lead_id = {leadId} for update")
            .SingleAsync(tx.CancellationToken);
        customer.StartTime = startTime < customer.StartTime ? startTime : customer.StartTime;
        if (profile is not { Erased: true } && (customer.DisplayName.Length == 0 || account is not null))
        {
            customer.DisplayName = name;
        }

        await tx.Connection.ExecuteAsync(
            "update referral set converted = true where workspace_id = @workspaceId and referred_lead_id = @leadId and not converted",
            new { workspaceId = tx.WorkspaceId, leadId });
        return customer;
    }

    /// <summary>The customer of an account without a lead, by its name as external id <c>account:NAME</c>, locked; made when there is none.</summary>
    public static async Task<CustomerRow> OfAccount(Transaction<RetentionDbContext> tx, string account, DateTimeOffset startTime)
    {
        var externalId = $"account:{account}";
        await tx.Connection.ExecuteAsync(
            """
            insert into customer (workspace_id, id, external_id, display_name, churned, start_time, segment, plan, mrr, total_revenue, version)
            values (@workspaceId, @id, @externalId, @account, false, @startTime, '', '', 0, 0, 0)
            on conflict (workspace_id, external_id) where external_id is not null do nothing
            """,
            new { workspaceId = tx.WorkspaceId, id = tx.NewId(), externalId, account, startTime });
        var customer = await tx.Db.Customers
            .FromSql($"select * from customer where workspace_id = {tx.WorkspaceId} and external_id = {externalId} for update")
            .SingleAsync(tx.CancellationToken);
        customer.StartTime = startTime < customer.StartTime ? startTime : customer.StartTime;
        return customer;
    }

    /// <summary>Appends an entry to the locked customer's ledger and publishes it; an external id that is there gives the entry it names.</summary>
    public static async Task<RevenueRow> Append(
        Transaction<RetentionDbContext> tx, CustomerRow customer, RevenueType type, Money amount, Recurrence recurrence, DateTimeOffset time, string? externalId)
    {
        if (externalId is not null && await Find(tx, externalId) is { } existing)
        {
            return existing;
        }

        var entry = new RevenueRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            CustomerId = customer.Id,
            Type = type,
            Amount = amount.Amount,
            CurrencyCode = amount.CurrencyCode,
            Recurrence = recurrence,
            OccurTime = time,
            ExternalId = externalId,
        };
        tx.Db.Revenue.Add(entry);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        await Replay(tx, customer);
        tx.Publish(new RevenueMoved(
            tx.NewId(), tx.WorkspaceId, time, ++customer.Version, customer.Id, customer.LeadId, Names.Of(type),
            new(amount.CurrencyCode, amount.Amount), Names.Of(recurrence)));
        return entry;
    }

    public static Task<RevenueRow?> Find(Transaction<RetentionDbContext> tx, string externalId) => tx.Db.Revenue
        .SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.ExternalId == externalId, tx.CancellationToken);

    /// <summary>Sums and state of the locked customer, from its entries in order of time.</summary>
    public static async Task Replay(Transaction<RetentionDbContext> tx, CustomerRow customer)
    {
        var entries = await tx.Db.Revenue.Where(row => row.WorkspaceId == tx.WorkspaceId && row.CustomerId == customer.Id)
            .OrderBy(row => row.OccurTime).ThenBy(row => row.Id).ToListAsync(tx.CancellationToken);
        (customer.Mrr, customer.TotalRevenue, customer.Churned, customer.ChurnTime) = (0, 0, false, null);
        foreach (var entry in entries)
        {
            entry.MrrDelta = Domain.Mrr.Delta(entry.Type, entry.Amount, entry.Recurrence, customer.Mrr);
            customer.Mrr += entry.MrrDelta;
            customer.TotalRevenue += entry.Type.IsSale() ? entry.Amount : 0;
            if (entry.Type == RevenueType.Churn)
            {
                (customer.Churned, customer.ChurnTime) = (true, entry.OccurTime);
            }
            else if (entry.Type == RevenueType.Reactivation)
            {
                (customer.Churned, customer.ChurnTime) = (false, null);
            }
        }
    }
}
