using System.Text.Json;
using Dapper;
using Lifecycle.Conversion.Domain.Crm;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Storage;

/// <summary>What became of deals, as entries that are never altered.</summary>
public static class OpportunityHistory
{
    /// <summary>Keeps a change of a deal whose version was raised for it.</summary>
    /// <param name="fromStage">The stage it left or stayed in; empty for the first change, or where nobody knows.</param>
    /// <param name="isStageKnown">False for a closed deal of an import, whose stage is a guess.</param>
    public static void Keep(
        Transaction<ConversionDbContext> tx, OpportunityRow row, OpportunityChangeKind kind, string fromStage, DateTimeOffset time,
        string actor, string? reason = null, bool isStageKnown = true)
    {
        var leaves = kind is OpportunityChangeKind.Advanced or OpportunityChangeKind.Won or OpportunityChangeKind.Lost;
        var stay = time - row.StageTime;
        tx.Db.OpportunityChanges.Add(new OpportunityChangeRow
        {
            WorkspaceId = tx.WorkspaceId,
            OpportunityId = row.Id,
            Version = row.Version,
            Kind = kind,
            PipelineId = row.PipelineId,
            FromStage = isStageKnown ? fromStage : "",
            ToStage = isStageKnown ? row.Stage : "",
            Amount = row.Amount,
            ExpectedCloseDate = row.ExpectedCloseDate,
            Reason = reason,
            Competitor = row.Competitor,
            Actor = actor,
            Time = time,
            StaySeconds = leaves && isStageKnown && stay >= TimeSpan.Zero ? (long)stay.TotalSeconds : null,
        });
    }

    /// <summary>The changes of a deal and of those it takes up again, oldest first.</summary>
    public static async Task<IReadOnlyList<OpportunityChangeRow>> Read(Transaction<ConversionDbContext> tx, Guid id)
    {
        var chain = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            """
            with recursive chain as (
              select id, reopened_from from opportunity where workspace_id = @workspace and id = @id
              union
              select o.id, o.reopened_from from opportunity o join chain c on o.id = c.reopened_from where o.workspace_id = @workspace)
            select id from chain
            """,
            new { workspace = tx.WorkspaceId, id },
            cancellationToken: tx.CancellationToken))).AsList();
        var changes = await tx.Db.OpportunityChanges.Where(row => chain.Contains(row.OpportunityId)).ToListAsync(tx.CancellationToken);
        return [.. changes.OrderBy(row => row.Time).ThenBy(row => chain.Count - chain.IndexOf(row.OpportunityId))
            .ThenBy(row => row.Version)];
    }

    /// <summary>The buyer's people of a deal.</summary>
    public static DealContact[] ReadContacts(this OpportunityRow row) =>
        JsonSerializer.Deserialize<DealContact[]>(row.Contacts, JsonSerializerOptions.Web)!;

    /// <summary>The lines of a deal.</summary>
    public static DealLine[] ReadLines(this OpportunityRow row) =>
        JsonSerializer.Deserialize<DealLine[]>(row.Lines, JsonSerializerOptions.Web)!;

    /// <summary>When each field of an open deal was changed last.</summary>
    public static Dictionary<string, DateTimeOffset> ReadFieldTimes(this OpportunityRow row) =>
        JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(row.FieldTimes, JsonSerializerOptions.Web)!;

    /// <summary>Notes that the fields were changed at that time.</summary>
    public static void Stamp(this OpportunityRow row, IEnumerable<string> fields, DateTimeOffset time) =>
        row.FieldTimes = JsonSerializer.Serialize(FieldTimes.Stamp(row.ReadFieldTimes(), fields, time), JsonSerializerOptions.Web);

    public static string Write(IReadOnlyCollection<DealContact> contacts) => JsonSerializer.Serialize(contacts, JsonSerializerOptions.Web);

    public static string Write(IReadOnlyCollection<DealLine> lines) => JsonSerializer.Serialize(lines, JsonSerializerOptions.Web);

    /// <summary>What the deal holds, as far as stages may require it.</summary>
    public static DealFacts Facts(this OpportunityRow row) => new(
        row.Amount, row.ExpectedCloseDate, row.Owner, row.Product, row.Account, row.LeadId, row.ReadContacts().Length, row.ReadLines()
            .Length);

    /// <summary>The deals on which one of the people is a contact, tracked.</summary>
    public static async Task<List<OpportunityRow>> WithContact(Transaction<ConversionDbContext> tx, IEnumerable<Guid> leadIds)
    {
        var people = leadIds.Select(id => $$"""[{"leadId":"{{id}}"}]""").ToArray();
        return await tx.Db.Opportunities.FromSql(
            $"select * from opportunity where workspace_id = {tx.WorkspaceId} and contacts @> any({people}::jsonb[])")
                .ToListAsync(tx.CancellationToken);
    }
}
