using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Storage;

/// <summary>Won opportunities as entries of the ledger.</summary>
internal static class Bookings
{
    /// <summary>Bookings that one request takes up at most.</summary>
    private const int MaxHeld = 5_000;

    /// <summary>
    /// Books a win, once: the customer's first as NEW, a later one as UPSELL. Without a rate to the workspace's currency it waits for one.
    /// </summary>
    /// <returns>False while it waits.</returns>
    public static async Task<bool> Book(Transaction<RetentionDbContext> tx, CurrencyRates rates, HeldBookingRow booking)
    {
        var externalId = $"opportunity:{booking.OpportunityId}";
        var suggested = await Suggested(tx, booking.OpportunityId);
        var customer = suggested is null ? null : await LedgerBatch.Lock(tx, suggested.CustomerId);
        customer ??= booking.LeadId is { } leadId
            ? await CustomerLedger.OfLead(tx, leadId, booking.CloseTime, booking.Account)
            : await CustomerLedger.OfAccount(tx, booking.Account ?? booking.OpportunityId.ToString(), booking.CloseTime);
        if ((await LedgerBatch.Known(tx, [externalId])).Count > 0)
        {
            return true;
        }

        var amount = new Kernel.Money(booking.CurrencyCode, booking.Amount);
        if (!(await rates.ConvertOne(amount, booking.CloseTime)).TryGet(out var converted, out _))
        {
            await tx.Connection.ExecuteAsync(
                """
                insert into held_booking (workspace_id, opportunity_id, lead_id, account, amount, currency_code, close_time)
                values (@WorkspaceId, @OpportunityId, @LeadId, @Account, @Amount, @CurrencyCode, @CloseTime) on conflict do nothing
                """,
                booking);
            return false;
        }

        var isFirst = !await tx.Connection.ExecuteScalarAsync<bool>(
            "select exists (select 1 from revenue where workspace_id = @workspace and customer_id = @id and type = 'New' and not reversed and reverses_id is null)",
            new { workspace = tx.WorkspaceId, id = customer.Id });
        await LedgerBatch.Append(
            tx, [new(customer, isFirst ? RevenueType.New : suggested is { Kind: "CROSS_SELL" } ? RevenueType.CrossSell : RevenueType.Upsell,
                amount, converted, Recurrence.OneOff, booking.CloseTime, externalId)]);
        if (suggested is not null)
        {
            await Decide(tx, booking.OpportunityId, "WON", suggested.OpportunityVersion);
        }

        return true;
    }

    /// <summary>Keeps how a suggestion's opportunity stands, unless a later version of it is known; nothing for others.</summary>
    public static Task Decide(Transaction<RetentionDbContext> tx, Guid opportunityId, string outcome, long version) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        update expansion_suggestion set outcome = @outcome, opportunity_version = @version
        where workspace_id = @workspace and opportunity_id = @opportunityId and opportunity_version <= @version
        """,
        new { workspace = tx.WorkspaceId, opportunityId, outcome, version }, cancellationToken: tx.CancellationToken));

    /// <summary>The suggestion that opened the opportunity; null for most.</summary>
    private static Task<ExpansionSuggestionRow?> Suggested(
        Transaction<RetentionDbContext> tx, Guid opportunityId) => tx.Db.Suggestions.AsNoTracking()
        .FirstOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.OpportunityId == opportunityId, tx.CancellationToken);

    /// <summary>Books what waited for a rate that is there now, oldest first.</summary>
    /// <returns>How many were booked, and how many still wait.</returns>
    public static async Task<(int Booked, int Waiting)> TakeUp(Transaction<RetentionDbContext> tx, CurrencyRates rates)
    {
        var held = await tx.Db.HeldBookings.FromSql(
            $"select * from held_booking where workspace_id = {tx.WorkspaceId} order by close_time, opportunity_id limit {MaxHeld} for update")
            .AsNoTracking().ToListAsync(tx.CancellationToken);
        await rates.Load(held.Select(one => (one.CurrencyCode, one.CloseTime)));
        var booked = 0;
        foreach (var booking in held)
        {
            if (rates.Convert(new(booking.CurrencyCode, booking.Amount), booking.CloseTime).Succeeded && await Book(tx, rates, booking))
            {
                booked += await tx.Connection.ExecuteAsync(
                    "delete from held_booking where workspace_id = @WorkspaceId and opportunity_id = @OpportunityId", booking);
            }
        }

        return (booked, held.Count - booked);
    }
}
