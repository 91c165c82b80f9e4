using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.CountDays;

/// <summary>
/// Adds up what changes of facts have left of each day, so that reports read few rows. The sums are the same before and after, and while it runs.
/// </summary>
public sealed class CountDays(UnitOfWork<ConversionDbContext> work)
{
    /// <summary>Days of one transaction.</summary>
    private const int Batch = 100;

    /// <summary>Days of one transaction that counts anew.</summary>
    private const int Span = 31;

    private const string Known =
        """
        select min(first), max(last) from (
          select min(day) as first, max(day) as last from lead_day where workspace_id = @workspaceId
          union all select min(day), max(day) from stay_day where workspace_id = @workspaceId
          union all select conversion.day_of(min(create_time)), conversion.day_of(max(create_time)) from lead_fact
            where workspace_id = @workspaceId
          union all select conversion.day_of(min(enter_time)), conversion.day_of(max(enter_time)) from stage_stay
            where workspace_id = @workspaceId) part
        """;

    /// <summary>Adds up all days of the workspace that have something new.</summary>
    public async Task Handle(Guid workspaceId, CancellationToken ct)
    {
        var days = Batch;
        while (days == Batch)
        {
            await work.Run(workspaceId, async tx => days = await tx.Connection.ExecuteScalarAsync<int>(new CommandDefinition(
                "select conversion.add_up_days(@workspaceId, @most)", new { workspaceId, most = Batch }, cancellationToken: ct)), ct);
        }
    }

    /// <summary>Counts all days anew from the facts.</summary>
    /// <returns>Counts that were otherwise.</returns>
    public async Task<long> Recount(Guid workspaceId, CancellationToken ct)
    {
        var (first, last) = await work.Read(
            workspaceId,
            tx => tx.Connection.QuerySingleAsync<(DateOnly? First, DateOnly? Last)>(
                new CommandDefinition(Known, new { workspaceId }, cancellationToken: ct)),
            ct);
        var corrected = 0L;
        for (var day = first; day <= last; day = day.Value.AddDays(Span))
        {
            var span = new { workspaceId, first = day, last = day.Value.AddDays(Span) };
            await work.Run(workspaceId, async tx => corrected += await tx.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
                "select conversion.recount_days(@workspaceId, @first, @last)", span, cancellationToken: ct)), ct);
        }

        return corrected;
    }
}
