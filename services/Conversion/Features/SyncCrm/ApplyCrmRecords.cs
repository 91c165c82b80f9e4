using System.Text.Json;
using Lifecycle.Common.V1;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Features.AnswerHandoff;
using Lifecycle.Conversion.Features.ImportOpportunities;
using Lifecycle.Conversion.Jobs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Mapping = Lifecycle.Conversion.Domain.Crm.CrmMapping;
using Stage = Lifecycle.Kernel.Stage;

namespace Lifecycle.Conversion.Features.SyncCrm;

/// <summary>
/// Applies records of a CRM, once per receipt. Of each field the latest change holds, wherever it was made; what is closed stays so.
/// </summary>
public sealed class ApplyCrmRecords(UnitOfWork<ConversionDbContext> work, EnsureLead.EnsureLead leads, JourneySignal journeys,
    TimeProvider time)
{
    private const int MaxErrors = 10;

    /// <summary>How long receipts are kept: far longer than any sender tries.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Errors: UNAVAILABLE where a lead is on its way and Capture does not answer; nothing is noted then, and the sender tries
    /// again.</summary>
    /// <param name="receiptId">What makes it count once.</param>
    /// <param name="aboutLeads">Whether the records are of leads, not deals.</param>
    public async Task<Result<(CrmReceiptRow Receipt, bool IsNew)>> Handle(
        Guid workspaceId, CrmConnectionRow connection, Mapping mapping, IReadOnlyList<JsonElement> records, bool aboutLeads,
            string receiptId,
        CancellationToken ct)
    {
        var (caller, pipelines) = await Context(workspaceId, connection, ct);
        var errors = new List<string>();
        var deals = new List<ImportLine>();
        var updates = new List<LeadUpdate>();
        for (var index = 0; index < records.Count; index++)
        {
            var changed = mapping.Time(records[index]) is { } told && told < time.GetUtcNow() ? told : time.GetUtcNow();
            var parsed = aboutLeads
                ? LeadUpdate.Parse(mapping.Values(records[index], Mapping.LeadFields), changed)
                    .Map(update => { updates.Add(update); return default(Unit); })
                : OpportunityImport.Parse(
                    mapping.Values(records[index], Mapping.DealFields), name => pipelines.Find(name)?.Steps(), caller.CurrencyCode,
                        caller.TimeZone,
                    time.GetUtcNow()).Map(deal => { deals.Add(new(index, deal, changed)); return default(Unit); });
            if (parsed.Error is { } fault)
            {
                errors.Add(
                    $"Record {index}: {string.Join(' ', fault.Violations.Select(violation => $"{violation.Field}: {violation.Message}"))}");
            }
        }

        var unknown = new Dictionary<Guid, string>();
        foreach (var id in deals.Select(deal => deal.Value.LeadId).Concat(updates.Select(update => update.LeadId)).OfType<Guid>()
            .Distinct())
        {
            if ((await leads.Handle(workspaceId, id, ct)).Error is { } stranger)
            {
                if (stranger.Kind == ErrorKind.Unavailable)
                {
                    return stranger;
                }

                unknown.Add(id, stranger.Message);
            }
        }

        CrmReceiptRow receipt = null!;
        var isNew = false;
        await work.Run(workspaceId, async tx =>
        {
            (receipt, isNew) = await Claim(tx, connection.Id, receiptId);
            if (!isNew)
            {
                return;
            }

            var outcome = new ImportResponse();
            var ignored = await ImportOpportunities.ImportOpportunities.WriteRows(tx, deals, unknown, caller, outcome);
            var faults = errors.Concat(outcome.Rejected.Select(row => $"Record {row.Line}: {string.Join(' ', row.Errors)}")).ToList();
            receipt.Applied = outcome.Created + outcome.Updated;
            (receipt.Unchanged, receipt.Ignored) = (outcome.Unchanged, ignored);
            foreach (var update in updates.OrderBy(update => update.LeadId))
            {
                await Apply(tx, update, unknown, caller, receipt, faults);
            }

            (receipt.Rejected, receipt.Errors) = (faults.Count, [.. faults.Take(MaxErrors)]);
        }, ct);
        journeys.Wake(workspaceId);
        return (receipt, isNew);
    }

    private async Task<(Caller Caller, ImportPipelines Pipelines)> Context(Guid workspaceId, CrmConnectionRow connection,
        CancellationToken ct)
    {
        (Caller, ImportPipelines) context = default;
        await work.Run(workspaceId, async tx =>
        {
            var workspace = await tx.Db.Workspaces.SingleOrDefaultAsync(row => row.Id == workspaceId, ct);
            var zone = TimeZoneInfo.TryFindSystemTimeZoneById(workspace?.TimeZone ?? "UTC", out var known) ? known : TimeZoneInfo.Utc;
            var caller = Caller.Service("conversion", workspaceId, zone,
                workspace?.CurrencyCode ?? "USD") with
            { Actor = $"crm:{connection.DisplayName}" };
            context = (caller, await ImportPipelines.Read(tx));
        }, ct);
        return context;
    }

    /// <summary>The receipt, new or as it was. A twin that races waits for the first to commit.</summary>
    private static async Task<(CrmReceiptRow Receipt, bool IsNew)> Claim(Transaction<ConversionDbContext> tx, Guid connectionId,
        string receiptId)
    {
        await tx.Db.Database.ExecuteSqlAsync(
            $"""
            delete from crm_receipt where workspace_id = {tx.WorkspaceId} and connection_id = {connectionId} and webhook_id in (
              select webhook_id from crm_receipt
              where workspace_id = {tx.WorkspaceId} and connection_id = {connectionId} and receive_time < {tx.Now - Kept}
              order by receive_time limit 100 for update skip locked)
            """, tx.CancellationToken);
        var isNew = await tx.Db.Database.ExecuteSqlAsync(
            $"""
            insert into crm_receipt (workspace_id, connection_id, webhook_id, receive_time, applied, unchanged, ignored, rejected, errors)
            values ({tx.WorkspaceId}, {connectionId}, {receiptId}, {tx.Now}, 0, 0, 0, 0, array[]::text[]) on conflict do nothing
            """, tx.CancellationToken) == 1;
        return (await tx.Db.CrmReceipts.SingleAsync(row => row.ConnectionId == connectionId && row.WebhookId == receiptId,
            tx.CancellationToken), isNew);
    }

    private static async Task Apply(
        Transaction<ConversionDbContext> tx, LeadUpdate update, Dictionary<Guid, string> unknown, Caller caller, CrmReceiptRow receipt,
            List<string> faults)
    {
        var id = update.LeadId ?? await tx.Db.Leads.Where(row => row.Email == update.Email && row.Captured && row.MergedInto == null)
            .OrderBy(row => row.LeadId).Select(row => (Guid?)row.LeadId).FirstOrDefaultAsync(tx.CancellationToken);
        if (id is not { } known || unknown.ContainsKey(known) || await StageLedger.LockKnown(tx, known) is not { } lead)
        {
            faults.Add(id is { } stranger && unknown.TryGetValue(stranger, out var why) ? why : "No lead has that e-mail.");
            return;
        }

        if (lead.Stage == update.To)
        {
            receipt.Unchanged++;
            return;
        }

        // The ledger's own time decides: what the CRM knew before the last move is overtaken.
        if (lead.EnterTime >= update.Changed || lead.Stage is Stage.Customer or Stage.Advocate or Stage.Churned)
        {
            receipt.Ignored++;
            return;
        }

        if ((await Move(tx, lead, update, caller)).Error is { } refused)
        {
            faults.Add($"Lead {lead.LeadId}: {refused.Message}");
            return;
        }

        receipt.Applied++;
    }

    /// <summary>As sales would: through the hand-off where there is one, else by a move of the ledger.</summary>
    private static async Task<Result<Unit>> Move(Transaction<ConversionDbContext> tx, LeadRow lead, LeadUpdate update, Caller caller)
    {
        var handoff = await tx.Db.Handoffs.Where(row => row.LeadId == lead.LeadId)
            .Where(row => row.State == HandoffState.Open || (row.State == HandoffState.Accepted && lead.Stage == Stage.Sql))
            .OrderByDescending(row => row.CreateTime).FirstOrDefaultAsync(tx.CancellationToken);
        switch (update.To, handoff)
        {
            case (Stage.Sql, { State: HandoffState.Open }):
                return await HandoffAnswers.Accept(tx, handoff, lead, update.Owner ?? "", update.Changed, caller.Actor);
            case (Stage.Lead, not null):
                var accepted = await ReturnReasonList.Read(tx);
                var isKnown = update.Reason is not null && accepted.Contains(update.Reason);
                var note = isKnown ? update.Note : string.Join(" – ",
                    new[] { update.Reason, update.Note }.Where(text => !string.IsNullOrEmpty(text)));
                return await HandoffAnswers.Return(tx, handoff, lead, isKnown ? update.Reason! : "OTHER", note ?? "", update.Changed,
                    caller.Actor);
            case (Stage.Disqualified, not null):
                return await HandoffAnswers.Disqualify(tx, handoff, lead, update.Reason ?? "OTHER", update.Note ?? "", update.Changed,
                    caller.Actor);
            default:
                var reason = update.To == Stage.Lead ? StageReasons.Recycled
                    : StageMachine.DefaultReason(lead.Stage, update.To) ?? StageReasons.Reopened;
                var moved = await StageLedger.Move(tx, lead, new(update.To, reason, update.Changed), new(caller.Actor, update.Reason));
                return moved.Error is { } illegal ? illegal : default(Unit);
        }
    }

    /// <summary>A stage as a CRM tells it.</summary>
    private sealed record LeadUpdate(Guid? LeadId, string? Email, Stage To, string? Reason, string? Note, string? Owner,
        DateTimeOffset Changed)
    {
        private static readonly Stage[] Targets = [Stage.Lead, Stage.Mql, Stage.Sql, Stage.Disqualified];

        public static Result<LeadUpdate> Parse(IReadOnlyDictionary<string, string?> values, DateTimeOffset changed)
        {
            var violations = new Violations();
            Guid? leadId = values["leadId"] is { Length: > 0 } text && violations.RequireId(text, "leadId", out var id) ? id : null;
            var email = values["leadEmail"] is { } address ? EmailKey.Part(address) : null;
            violations.Require(values["leadId"] is { Length: > 0 } || email is { Length: > 0 }, "leadId",
                "leadId or leadEmail is required.");
            var isStage = StageNames.TryParse(values["stage"]?.Trim().ToUpperInvariant(), out var to) && Targets.Contains(to);
            violations.Require(isStage, "stage", $"stage must be one of {string.Join(", ", Targets.Select(stage => stage.Name()))}.");
            violations.Require(values["reason"] is null or { Length: <= 100 }, "reason", "reason has at most 100 characters.");
            violations.Require(values["note"] is null or { Length: <= 2000 }, "note", "note has at most 2000 characters.");
            violations.Require(values["owner"] is null or { Length: <= 200 }, "owner", "owner has at most 200 characters.");
            return violations.ToError() is { } error
                ? error
                : new LeadUpdate(leadId, email, to, values["reason"], values["note"], values["owner"], changed);
        }
    }
}
