using Google.Protobuf.WellKnownTypes;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Features.OpenOpportunity;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.ChangeOpportunity;

/// <summary>Changes of an open deal: what it says, its step, or that it is there at all.</summary>
public sealed class ChangeOpportunity(UnitOfWork<ConversionDbContext> work, EnsureLead.EnsureLead leads, TimeProvider time)
{
    public async Task<Result<Opportunity>> Update(UpdateOpportunityRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        OpportunityChecks.Texts(
            violations, ("name", request.Name), ("owner", request.Owner), ("product", request.Product), ("account", request.Account));
        violations.Require(!request.HasName || request.Name.Trim().Length > 0, "name", "name must not be empty.");
        var amount = OpportunityChecks.Amount(violations, request.Amount, "amount", caller.CurrencyCode);
        DateOnly? expected = request.ExpectedCloseDate.Length > 0
            && violations.RequireDate(request.ExpectedCloseDate, "expectedCloseDate", out var day) ? day : null;
        var contacts = request.Contacts is { } people ? OpportunityChecks.Contacts(violations, people.Contacts, "contacts.contacts") : null;
        var lines = request.Lines is { } products ? OpportunityChecks.Lines(violations, products.Lines, "lines.lines",
            caller.CurrencyCode) : null;
        Guid? leadId = request.HasLeadId && violations.RequireId(request.LeadId, "leadId", out var lead) ? lead : null;
        if (violations.ToError() is { } error)
        {
            return error;
        }

        foreach (var given in (contacts ?? []).Select(contact => contact.LeadId).Prepend(leadId ?? Guid.Empty)
            .Where(id => id != Guid.Empty).Distinct())
        {
            if ((await leads.Handle(caller.WorkspaceId, given, ct)).Error is { } unknown)
            {
                return unknown;
            }
        }

        return await work.RunIdempotent<Opportunity>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            // A lead to tie is locked before the deal, as everywhere.
            var tied = leadId is { } known ? await StageLedger.Lock(tx, known) : null;
            var locked = await Open(tx, id);
            if (!locked.TryGet(out var found, out var refused))
            {
                return refused;
            }

            var row = found.Row;
            if (tied is not null && row.LeadId is { } present && present != tied.LeadId)
            {
                return Error.Precondition($"The opportunity belongs to lead {present} already.");
            }

            row.Name = request.HasName ? request.Name.Trim() : row.Name;
            var before = (row.Amount, row.ExpectedCloseDate);
            row.Amount = amount ?? (lines is { Count: > 0 } ? Deals.Total(lines, row.CurrencyCode) : row.Amount);
            row.Lines = lines is null ? row.Lines : OpportunityHistory.Write(lines);
            row.Contacts = contacts is null ? row.Contacts : OpportunityHistory.Write(await OpportunityChecks.Present(tx, contacts));
            row.Owner = request.HasOwner ? OpportunityChecks.Text(request.Owner) : row.Owner;
            row.Product = request.HasProduct ? OpportunityChecks.Text(request.Product) : row.Product;
            row.Account = request.HasAccount ? OpportunityChecks.Text(request.Account) : row.Account;
            row.ExpectedCloseDate = request.HasExpectedCloseDate ? expected : row.ExpectedCloseDate;
            row.Version++;
            row.Stamp(Changed(request, lines), tx.Now);
            if (before != (row.Amount, row.ExpectedCloseDate))
            {
                OpportunityHistory.Keep(tx, row, OpportunityChangeKind.Updated, row.Stage, tx.Now, caller.Actor);
            }

            if (tied is not null && row.LeadId is null)
            {
                row.LeadId = tied.LeadId;
                await OpportunityBook.MoveToOpportunity(tx, row, tied, caller.Actor);
            }

            OpportunityBook.Announce(tx, row, tx.Now, null);
            return row.ToProto();
        }, ct);
    }

    public async Task<Result<Opportunity>> Advance(AdvanceOpportunityRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Stage, "stage");
        BackfillTime.Check(request.AdvanceTime.ToTime(), "advanceTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Opportunity>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var locked = await Open(tx, id);
            if (!locked.TryGet(out var found, out var refused))
            {
                return refused;
            }

            var pipeline = await tx.Db.Pipelines.SingleAsync(row => row.Id == found.Row.PipelineId, ct);
            if (Pipelines.Find(pipeline.Steps(), request.Stage) is not { } step)
            {
                return OpportunityChecks.NoStep(request.Stage, pipeline.Steps());
            }

            if (step.Name != found.Row.Stage)
            {
                if (Deals.Enter(step, found.Row.Facts()).Error is { } incomplete)
                {
                    return incomplete;
                }

                OpportunityBook.Advance(tx, found.Row, step.Name, request.AdvanceTime.ToTime() ?? tx.Now, caller.Actor);
            }

            return found.Row.ToProto();
        }, ct);
    }

    public async Task<Result<Empty>> Delete(DeleteOpportunityRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        if (!violations.RequireId(request.Id, "id", out var id))
        {
            return violations.ToError()!;
        }

        return await work.RunIdempotent<Empty>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var locked = await Open(tx, id);
            if (!locked.TryGet(out var found, out var refused))
            {
                return refused;
            }

            await OpportunityBook.Delete(tx, found.Row, found.Lead, caller.Actor);
            return new Empty();
        }, ct);
    }

    private static IEnumerable<string> Changed(UpdateOpportunityRequest request, IReadOnlyList<DealLine>? lines) =>
        new (string Field, bool IsGiven)[]
    {
        ("name", request.HasName), ("amount", request.Amount is not null || lines is { Count: > 0 }), ("owner", request.HasOwner),
        ("product", request.HasProduct), ("account", request.HasAccount), ("expectedCloseDate", request.HasExpectedCloseDate),
    }.Where(field => field.IsGiven).Select(field => field.Field);

    private static async Task<Result<LockedOpportunity>> Open(Transaction<ConversionDbContext> tx, Guid id)
    {
        if (await OpportunityBook.Lock(tx, id) is not { } locked)
        {
            return Error.NotFound("Opportunity", id);
        }

        return OpportunityRules.Touch(locked.Row.State).Error is { } final ? final : locked;
    }
}
