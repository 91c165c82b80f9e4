using Lifecycle.Common.V1;
using Lifecycle.Conversion.Domain.Crm;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.ImportOpportunities;

/// <summary>Writes checked rows of an import in one transaction. Cells that a row leaves empty say nothing about a deal that is there
/// already.</summary>
/// <param name="tx">The transaction.</param>
/// <param name="pipelines">Pipelines that rows may name.</param>
/// <param name="known">Deals there already, locked, by external id; new ones are added.</param>
/// <param name="caller">Who imports.</param>
internal sealed class OpportunityImportWriter(
    Transaction<ConversionDbContext> tx, ImportPipelines pipelines, Dictionary<string, OpportunityRow> known, Caller caller)
{
    /// <summary>Rows of a CRM that came too late, in whole.</summary>
    public int Ignored { get; private set; }

    /// <summary>Errors: FAILED_PRECONDITION where the row would change a closed deal, or give a deal to another lead or
    /// pipeline.</summary>
    public async Task<Result<Unit>> Write(
        OpportunityImport row, LeadRow? lead, Dictionary<Guid, LeadRow> leads, ImportResponse outcome, DateTimeOffset? changed = null)
    {
        var pipeline = pipelines.Find(row.Pipeline)!;
        if (!known.TryGetValue(row.ExternalId, out var deal))
        {
            known[row.ExternalId] = await Create(row, lead, pipeline, changed);
            outcome.Created++;
            return default(Unit);
        }

        if (lead is not null && deal.LeadId is { } present && present != lead.LeadId)
        {
            return Error.Precondition($"The opportunity {row.ExternalId} belongs to another lead.");
        }

        if (deal.PipelineId != pipeline.Id && (row.Pipeline is not null || row.Stage is not null))
        {
            return Error.Precondition($"The opportunity {row.ExternalId} moves through another pipeline than {pipeline.DisplayName}.");
        }

        if (changed is { } at)
        {
            if (deal.State != OpportunityState.Open && (Changes(row, lead, deal) || (row.State != deal.State && row.Stage is not null)))
            {
                // What is closed stays so, whatever the CRM says later.
                Ignored++;
                return default(Unit);
            }

            var newer = FieldTimes.Newer(row, deal.ReadFieldTimes(), at);
            if (FieldTimes.Given(row).Any() && !FieldTimes.Given(newer).Any() && Changes(row, lead, deal))
            {
                Ignored++;
                return default(Unit);
            }

            row = newer;
        }

        var changes = Changes(row, lead, deal);
        if (!changes && row.State == deal.State)
        {
            outcome.Unchanged++;
            return default(Unit);
        }

        if (!changes && row.State == OpportunityState.Open && row.Stage is null)
        {
            // A row without a stage does not say that a closed deal is open again.
            outcome.Unchanged++;
            return default(Unit);
        }

        if (OpportunityRules.Touch(deal.State).Error is { } final)
        {
            return final;
        }

        deal.Stamp(FieldTimes.Given(row), changed ?? tx.Now);
        await Change(row, lead ?? (deal.LeadId is { } tied ? leads[tied] : null), deal, changed);
        outcome.Updated++;
        return default(Unit);
    }

    private async Task<OpportunityRow> Create(OpportunityImport row, LeadRow? lead, PipelineRow pipeline, DateTimeOffset? changed)
    {
        var steps = pipeline.Steps();
        var deal = new OpportunityRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            LeadId = lead?.LeadId,
            ExternalId = row.ExternalId,
            Name = row.Name ?? OpportunityRules.DefaultName(row.Account, row.Product, row.ExternalId),
            Amount = row.Amount ?? 0,
            CurrencyCode = caller.CurrencyCode,
            PipelineId = pipeline.Id,
            // The export does not tell from where a closed deal closed: a won one is taken to have come through, a lost one to have stayed.
            Stage = row.Stage ?? (row.State == OpportunityState.Won ? steps[^1] : steps[0]).Name,
            Owner = row.Owner,
            Product = row.Product,
            Account = row.Account,
            CreateTime = row.CreateTime ?? row.CloseTime ?? changed ?? tx.Now,
            ExpectedCloseDate = row.ExpectedCloseDate,
        };
        deal.StageTime = deal.CreateTime;
        deal.Stamp(FieldTimes.Given(row), changed ?? tx.Now);
        tx.Db.Opportunities.Add(deal);
        OpportunityHistory.Keep(
            tx, deal, OpportunityChangeKind.Opened, "", deal.CreateTime, caller.Actor, isStageKnown: row.State == OpportunityState.Open);
        await OpportunityBook.MoveToOpportunity(tx, deal, lead, caller.Actor);
        if (row.State == OpportunityState.Open)
        {
            OpportunityBook.Announce(tx, deal, deal.CreateTime, null);
        }
        else
        {
            await Close(row, deal, lead, isStageKnown: false);
        }

        return deal;
    }

    private async Task Change(OpportunityImport row, LeadRow? lead, OpportunityRow deal, DateTimeOffset? changed)
    {
        var before = (deal.Amount, Day: deal.ExpectedCloseDate);
        deal.Name = row.Name ?? deal.Name;
        deal.Amount = row.Amount ?? deal.Amount;
        deal.Owner = row.Owner ?? deal.Owner;
        deal.Product = row.Product ?? deal.Product;
        deal.Account = row.Account ?? deal.Account;
        deal.CreateTime = row.CreateTime ?? deal.CreateTime;
        deal.ExpectedCloseDate = row.ExpectedCloseDate ?? deal.ExpectedCloseDate;
        if (lead is not null && deal.LeadId is null)
        {
            deal.LeadId = lead.LeadId;
            await OpportunityBook.MoveToOpportunity(tx, deal, lead, caller.Actor);
        }

        if (row.State != OpportunityState.Open)
        {
            await Close(row, deal, lead);
        }
        else if (Differs(row.Stage, deal.Stage))
        {
            OpportunityBook.Advance(tx, deal, row.Stage!, changed ?? tx.Now, caller.Actor, changed);
        }
        else
        {
            deal.Version++;
            if (Differs(row.Amount, before.Amount) || Differs(row.ExpectedCloseDate, before.Day))
            {
                OpportunityHistory.Keep(tx, deal, OpportunityChangeKind.Updated, deal.Stage, tx.Now, caller.Actor);
            }

            OpportunityBook.Announce(tx, deal, tx.Now, null);
        }
    }

    private Task Close(OpportunityImport row, OpportunityRow deal, LeadRow? lead, bool isStageKnown = true)
    {
        var time = row.CloseTime ?? (tx.Now < deal.CreateTime ? deal.CreateTime : tx.Now);
        return row.State == OpportunityState.Won
            ? OpportunityBook.Win(tx, deal, lead, deal.Amount, time, caller.Actor, isStageKnown)
            : OpportunityBook.Lose(tx, deal, lead, row.LoseReason ?? "Imported as lost", time, caller.Actor, row.Competitor, isStageKnown);
    }

    private static bool Changes(OpportunityImport row, LeadRow? lead, OpportunityRow deal) =>
        Differs(row.Name, deal.Name) || Differs(row.Owner, deal.Owner) || Differs(row.Product, deal.Product)
            || Differs(row.Account, deal.Account)
        || Differs(row.LoseReason, deal.LoseReason) || Differs(row.Competitor, deal.Competitor) || Differs(row.Stage, deal.Stage)
        || Differs(row.Amount, deal.Amount) || Differs(row.CreateTime, deal.CreateTime) || Differs(row.CloseTime, deal.CloseTime)
        || Differs(row.ExpectedCloseDate, deal.ExpectedCloseDate) || (lead is not null && deal.LeadId != lead.LeadId);

    private static bool Differs(string? given, string? held) => given is not null && !string.Equals(given, held, StringComparison.Ordinal);

    private static bool Differs<T>(T? given, T? held)
        where T : struct => given is { } value && !(held is { } present && EqualityComparer<T>.Default.Equals(value, present));
}
