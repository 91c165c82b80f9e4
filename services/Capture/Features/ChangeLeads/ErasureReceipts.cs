using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ChangeLeads;

/// <summary>
/// Keeps book of erasures: which services have confirmed. An erasure is complete when all have; until then the services are asked again,
/// the pauses doubling up to a day. Every consumer of <see cref="LeadErased"/> may hear it again, and confirms again; the first receipt
/// holds.
/// </summary>
internal sealed class ErasureReceipts(UnitOfWork<CaptureDbContext> work)
{
    private const string Own = "capture";

    private static readonly string[] Others = ["scoring", "nurture", "conversion", "retention"];
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    /// <summary>Opens the book with this service's own receipt and asks the others. Part of the transaction of the erasure.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="leadId">The lead.</param>
    /// <param name="version">Its version at its end.</param>
    /// <param name="records">Records of this service.</param>
    /// <param name="pause">Time within which the others are expected to confirm.</param>
    public static async Task Open(Transaction<CaptureDbContext> tx, Guid leadId, long version, long records, TimeSpan pause)
    {
        await tx.Connection.ExecuteAsync(
            """
            insert into erasure (workspace_id, lead_id, request_time, version, ask_time, asks) values (@workspace, @leadId, @now, @version, @ask, 1);
            insert into erasure_receipt (workspace_id, lead_id, service, erase_time, records) values (@workspace, @leadId, @own, @now, @records);
            insert into erasure_receipt (workspace_id, lead_id, service, records)
              select @workspace, @leadId, service, 0 from unnest(@others) as s(service);
            """,
            new { workspace = tx.WorkspaceId, leadId, now = tx.Now, version, ask = tx.Now + pause, records, own = Own, others = Others });
        tx.Publish(new LeadErased(tx.NewId(), tx.WorkspaceId, tx.Now, version, leadId));
    }

    /// <summary>Takes a service's receipt; the last one completes the erasure.</summary>
    public static async Task Take(Transaction<CaptureDbContext> tx, LeadErasureConfirmed e)
    {
        // Two services that confirm at once wait here for each other, or neither would see the other's receipt.
        var isKnown = await tx.Connection.QuerySingleOrDefaultAsync<Guid?>(
            "select lead_id from erasure where workspace_id = @workspace and lead_id = @lead for update",
            new { workspace = tx.WorkspaceId, lead = e.LeadId });
        if (isKnown is null)
        {
            return;
        }

        await tx.Connection.ExecuteAsync(
            """
            update erasure_receipt set erase_time = @time, records = @records
              where workspace_id = @workspace and lead_id = @lead and service = @service and erase_time is null;
            update erasure set ask_time = null, complete_time = @now
              where workspace_id = @workspace and lead_id = @lead and complete_time is null and not exists (
                select 1 from erasure_receipt where workspace_id = @workspace and lead_id = @lead and erase_time is null);
            """,
            new
            {
                workspace = tx.WorkspaceId,
                lead = e.LeadId,
                service = e.Service,
                time = e.ErasedAt,
                records = e.Counts.Values.Sum(),
                now = tx.Now
            });
    }

    /// <summary>Asks again for erasures that a service has not confirmed in time; answers how many.</summary>
    public static async Task<int> AskAgain(Transaction<CaptureDbContext> tx, TimeSpan pause, int limit)
    {
        var due = await tx.Connection.QueryAsync<ErasureRow>(
            """
            select workspace_id, lead_id, request_time, version, asks from erasure
            where workspace_id = @workspace and ask_time <= @now order by ask_time limit @limit for update skip locked
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, limit });
        var count = 0;
        foreach (var erasure in due)
        {
            var next = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, pause.Ticks * (1L << Math.Min(erasure.Asks, 20))));
            await tx.Connection.ExecuteAsync(
                "update erasure set ask_time = @next, asks = asks + 1 where workspace_id = @workspace and lead_id = @lead",
                new { workspace = tx.WorkspaceId, lead = erasure.LeadId, next = tx.Now + next });
            tx.Publish(new LeadErased(tx.NewId(), tx.WorkspaceId, erasure.RequestTime, erasure.Version, erasure.LeadId));
            count++;
        }

        return count;
    }

    /// <summary>The book of one erasure. NOT_FOUND for a lead that was not erased.</summary>
    public Task<Result<Erasure>> Get(Caller caller, Guid id, CancellationToken ct) => work.Read(caller.WorkspaceId, async tx =>
    {
        var lead = await LeadStore.Current(tx, id);
        var erasure = await tx.Connection.QuerySingleOrDefaultAsync<ErasureRow>(
            "select workspace_id, lead_id, request_time, complete_time from erasure where workspace_id = @workspace and lead_id = @lead",
            new { workspace = tx.WorkspaceId, lead });
        if (erasure is null)
        {
            return (Result<Erasure>)Error.NotFound("An erasure of lead", id);
        }

        var receipts = await tx.Connection.QueryAsync<ErasureReceiptRow>(
            """
            select workspace_id, lead_id, service, erase_time, records from erasure_receipt
            where workspace_id = @workspace and lead_id = @lead order by service
            """,
            new { workspace = tx.WorkspaceId, lead });
        return new Erasure
        {
            LeadId = lead.ToString(),
            State = erasure.CompleteTime is null ? Erasure.Types.State.Running : Erasure.Types.State.Complete,
            RequestTime = erasure.RequestTime.ToProto(),
            CompleteTime = erasure.CompleteTime.ToProto(),
            Receipts =
            {
                receipts.Select(receipt => new ErasureReceipt
                {
                    Service = receipt.Service,
                    State = receipt.EraseTime is null ? ErasureReceipt.Types.State.Pending : ErasureReceipt.Types.State.Erased,
                    Time = receipt.EraseTime.ToProto(),
                    Records = receipt.Records,
                }),
            },
        };
    }, ct);
}
