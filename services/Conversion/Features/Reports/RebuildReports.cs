using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// Counts everything of a workspace anew from the ledger, batch by batch beside live traffic: the rows of the leads are locked as by
/// whoever moves them.
/// </summary>
public sealed class RebuildReports(UnitOfWork<ConversionDbContext> work)
{
    private const int Batch = 2_000;

    private readonly CountDays.CountDays days = new(work);

    /// <param name="tell">Hears how far it has come, after each batch and at the end.</param>
    public async Task<RebuildReportsResponse> Handle(Guid workspaceId, Func<RebuildReportsResponse, Task> tell, CancellationToken ct)
    {
        var response = new RebuildReportsResponse();
        for (Guid? last = Guid.Empty; last is { } after;)
        {
            await work.Run(workspaceId, async tx =>
            {
                var people = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
                    """
                    select lead_id from lead where workspace_id = @workspaceId and lead_id > @after and merged_into is null order by lead_id limit @size for update
                    """,
                    new { workspaceId, after, size = Batch },
                    cancellationToken: ct))).AsList();
                response.Corrected += await Recount(tx, "recount_people", people, PeopleRows);
                response.Corrected += await RecountPaths(tx, "stage_journey", "lead_id", people);
                response.People += people.Count;
                last = people.Count == Batch ? people[^1] : null;
            }, ct);
            await tell(response.Clone());
        }

        for (Guid? last = Guid.Empty; last is { } after;)
        {
            await work.Run(workspaceId, async tx =>
            {
                var deals = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
                    "select id from opportunity where workspace_id = @workspaceId and id > @after order by id limit @size for update",
                    new { workspaceId, after, size = Batch },
                    cancellationToken: ct))).AsList();
                response.Corrected += await Recount(tx, "recount_deals", deals, DealRows);
                response.Corrected += await RecountPaths(tx, "journey", "opportunity_id", deals);
                response.Deals += deals.Count;
                last = deals.Count == Batch ? deals[^1] : null;
            }, ct);
            await tell(response.Clone());
        }

        response.Corrected += await days.Recount(workspaceId, ct);
        response.Done = true;
        await tell(response);
        return response;
    }

    private const string PeopleRows =
        """
        select s::text as fact from stage_stay s where s.workspace_id = @workspace and s.lead_id in (
          select lead_id from lead where workspace_id = @workspace and (lead_id = any(@ids) or merged_into = any(@ids)))
        union all select f::text from lead_fact f where f.workspace_id = @workspace and f.lead_id in (
          select lead_id from lead where workspace_id = @workspace and (lead_id = any(@ids) or merged_into = any(@ids)))
        """;

    private const string DealRows =
        "select f::text as fact from deal_fact f where f.workspace_id = @workspace and f.opportunity_id = any(@ids)";

    /// <summary>Reads journeys anew whose paths are not what they say.</summary>
    /// <returns>How many were.</returns>
    private static Task<int> RecountPaths(Transaction<ConversionDbContext> tx, string table, string key, List<Guid> ids) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            $"""
            update {table} set touches = touches where workspace_id = @workspace and {key} = any(@ids) and touches is not null
              and (path_keys is distinct from conversion.path_keys(touches) or path_times is distinct from conversion.path_times(touches))
            """,
            new { workspace = tx.WorkspaceId, ids = ids.ToArray() },
            cancellationToken: tx.CancellationToken));

    /// <returns>Rows that were otherwise, missing or too many.</returns>
    private static async Task<long> Recount(Transaction<ConversionDbContext> tx, string function, List<Guid> ids, string rows)
    {
        if (ids.Count == 0)
        {
            return 0;
        }

        var parameters = new { workspace = tx.WorkspaceId, ids = ids.ToArray() };
        var before = await Hashes();
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            $"select conversion.{function}(@workspace, @ids)", parameters, cancellationToken: tx.CancellationToken));
        var after = await Hashes();
        return Math.Max(after.Except(before).Count(), before.Except(after).Count());

        async Task<long[]> Hashes() => await tx.Connection.ExecuteScalarAsync<long[]>(new CommandDefinition(
            $"select coalesce(array_agg(hashtextextended(fact, 0)), '{{}}') from ({rows}) part", parameters,
            cancellationToken: tx.CancellationToken)) ?? [];
    }
}
