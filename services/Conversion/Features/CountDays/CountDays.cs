using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.CountDays;

/// <summary>
/// Adds up what changes of facts have left of each day, so that reports read few rows. The sums are the same before and after, and while it
/// runs.
/// </summary>
public sealed class CountDays(UnitOfWork<ConversionDbContext> work)
{
    /// <summary>Days of one transaction.</summary>
    private const int Batch = 100;

    /// <summary>Changes of stays of one transaction.</summary>
    private const int BatchOfStays = 20_000;

    private const string Known =
        """
        select min(first), max(last) from (
          select min(day) as first, max(day) as last from lead_day where workspace_id = @workspaceId
          union all select min(day), max(day) from stay_day where workspace_id = @workspaceId
          union all select min(enter_day), max(enter_day) from stay_sum where workspace_id = @workspaceId
          union all select conversion.day_of(min(enter_time)), conversion.day_of(max(enter_time)) from stay_loose where workspace_id = @workspaceId
          union all select conversion.day_of(min(create_time)), conversion.day_of(max(create_time)) from lead_fact
            where workspace_id = @workspaceId
          union all select conversion.day_of(min(enter_time)), conversion.day_of(max(enter_time)) from stage_stay
            where workspace_id = @workspaceId) part
        """;

    /// <summary>Adds up all days of the workspace that have something new.</summary>
    public async Task Handle(Guid workspaceId, CancellationToken ct)
    {
        await AddUp(workspaceId, "add_up_days", Batch, ct);
        await AddUp(workspaceId, "add_up_stays", BatchOfStays, ct);
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
        // Month by month, as the lengths of stays are counted.
        for (var day = first?.AddDays(1 - first.Value.Day); day <= last; day = day.Value.AddMonths(1))
        {
            var span = new { workspaceId, first = day, last = day.Value.AddMonths(1) };
            await work.Run(workspaceId, async tx => corrected += await tx.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
                "select conversion.recount_days(@workspaceId, @first, @last) + conversion.recount_stays(@workspaceId, @first, @last)",
                span,
                cancellationToken: ct)), ct);
        }

        return corrected;
    }

    private async Task AddUp(Guid workspaceId, string function, int most, CancellationToken ct)
    {
        var done = most;
        while (done == most)
        {
            await work.Run(workspaceId, async tx => done = await tx.Connection.ExecuteScalarAsync<int>(new CommandDefinition(
                $"select conversion.{function}(@workspaceId, @most)", new { workspaceId, most }, cancellationToken: ct)), ct);
        }
    }
}
