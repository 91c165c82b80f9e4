using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>Reads a workspace's leads page by page, in order of their ids, for segments that are judged together.</summary>
internal sealed class LeadPages
{
    private readonly Transaction<NurtureDbContext> tx;
    private readonly IReadOnlyList<SegmentNode> seeds;
    private readonly HashSet<Guid> seedIds;
    private readonly Guid[] reach;
    private readonly List<Tally> tallies;
    private readonly LeadFactsReader reader;
    private readonly int size;
    private readonly Guid? until;

    /// <param name="tx">The transaction; no lead of the workspace changes while it lasts.</param>
    /// <param name="seeds">Segments to judge by.</param>
    /// <param name="reached">Those, all that ask for them, and what these ask for.</param>
    /// <param name="size">Leads of a page.</param>
    /// <param name="until">Where the pages end; null: with the last lead.</param>
    public LeadPages(
        Transaction<NurtureDbContext> tx, IReadOnlyList<SegmentNode> seeds, IReadOnlyCollection<SegmentNode> reached, int size, Guid? until)
    {
        (this.tx, this.seeds, this.size, this.until) = (tx, seeds, size, until);
        seedIds = [.. seeds.Select(node => node.Id)];
        reach = [.. reached.Select(node => node.Id)];
        var conditions = reached.Select(node => node.Condition).OfType<Condition>().ToList();
        tallies = conditions.SelectMany(condition => condition.Tallies).ToList();
        reader = new(conditions);
    }

    /// <summary>The page after a lead. What stands in the transaction's closing statements goes to the server before it.</summary>
    public async Task<LeadPage> Read(Guid after)
    {
        await tx.Flush();
        var (leads, isFull) = await Leads(after);
        var last = isFull ? leads[^1].LeadId : until;
        var members = await Members(after, last);
        // Who is in one of the segments, and was left out by the filter, leaves it.
        var known = leads.Select(lead => lead.LeadId).ToHashSet();
        var leaving = members.Where(lead => !known.Contains(lead.Key) && lead.Value.Overlaps(seedIds)).Select(lead => lead.Key).ToArray();
        if (leaving.Length > 0)
        {
            leads.AddRange(await Named(leaving));
        }

        var activities = await ActivityStore.Load(tx, tallies.Count == 0 ? [] : leads.ConvertAll(lead => lead.LeadId), tallies);
        return new(leads, members, activities, isFull && last != until ? last : null);
    }

    /// <returns>The leads that the filter lets through, and the last of a full page in any case.</returns>
    private async Task<(List<LeadFacts> Leads, bool IsFull)> Leads(Guid after)
    {
        await using var command = new NpgsqlCommand
        {
            Connection = tx.Connection,
            Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Value(after) },
        };
        var end = "";
        if (until is { } bound)
        {
            command.Parameters.Add(Bulk.Value(bound));
            end = "and lead_id <= $3";
        }

        var filter = LeadFilter.Add(command.Parameters, seeds);
        command.CommandText =
            $"""
            select {reader.Select}, place = {size} from (
              select *, row_number() over (order by lead_id) as place from (
                select {reader.Columns}, {filter ?? "true"} as fits from lead
                where workspace_id = $1 and lead_id > $2 {end} and profile_version > 0 and merged_into is null and erase_time is null
                order by lead_id limit {size}) page) page
            where fits or place = {size}
            """;
        var (leads, isFull) = (new List<LeadFacts>(filter is null ? size : size / 4), false);
        await using var rows = await command.ExecuteReaderAsync(tx.CancellationToken);
        while (await rows.ReadAsync(tx.CancellationToken))
        {
            leads.Add(reader.Read(rows));
            isFull = rows.GetBoolean(reader.After);
        }

        return (leads, isFull);
    }

    private async Task<List<LeadFacts>> Named(Guid[] ids)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select {reader.Select} from lead
            where workspace_id = $1 and lead_id = any($2) and profile_version > 0 and merged_into is null and erase_time is null
            """,
            tx.Connection)
        { Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, ids) } };
        var leads = new List<LeadFacts>(ids.Length);
        await using var rows = await command.ExecuteReaderAsync(tx.CancellationToken);
        while (await rows.ReadAsync(tx.CancellationToken))
        {
            leads.Add(reader.Read(rows));
        }

        return leads;
    }

    /// <summary>By the segments, in which the leads of a page lie together.</summary>
    private async Task<Dictionary<Guid, HashSet<Guid>>> Members(Guid after, Guid? last)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select lead_id, segment_id from segment_member
            where workspace_id = $1 and segment_id = any($2) and lead_id > $3 {(last is null ? "" : "and lead_id <= $4")}
            """,
            tx.Connection)
        { Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, reach), Bulk.Value(after) } };
        if (last is { } bound)
        {
            command.Parameters.Add(Bulk.Value(bound));
        }

        var members = new Dictionary<Guid, HashSet<Guid>>();
        await using var rows = await command.ExecuteReaderAsync(tx.CancellationToken);
        while (await rows.ReadAsync(tx.CancellationToken))
        {
            var lead = rows.GetGuid(0);
            if (!members.TryGetValue(lead, out var places))
            {
                members.Add(lead, places = []);
            }

            places.Add(rows.GetGuid(1));
        }

        return members;
    }
}
