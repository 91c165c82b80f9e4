using Dapper;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;
using NpgsqlTypes;

namespace Lifecycle.Conversion.Features.RunAttribution;

/// <summary>
/// Carries out runs: reads the conversions in the order of their ids, batch by batch, credits one batch while the next is read, and notes
/// its progress after each. A run whose worker dies falls due again and begins anew; journeys are frozen, so that it comes to the same.
/// </summary>
public sealed partial class RunAttribution(
    UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options, ILogger<RunAttribution> logger)
{
    private const int MaxAttempts = 5;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    /// <summary>Carries out what is due in the workspace.</summary>
    public async Task Handle(Guid workspaceId, CancellationToken ct)
    {
        while (await Claim(workspaceId, ct) is { } run)
        {
            if (run.Attempts > MaxAttempts)
            {
                await Finish(workspaceId, run, [], $"The run did not come to an end in {MaxAttempts} attempts.", ct);
            }
            else if (await Credit(workspaceId, run, ct) is { } sums)
            {
                var error = sums.IsTooMany
                    ? $"The run has more groups than {MarkovChain.MaxGroups} for MARKOV or {CreditSums.MaxCredits} months × groups; ask for fewer dimensions."
                    : null;
                await Finish(workspaceId, run, error is null ? sums.Build() : [], error, ct);
            }
        }
    }

    private async Task<RunRow?> Claim(Guid workspaceId, CancellationToken ct)
    {
        RunRow? claimed = null;
        await work.Run(workspaceId, async tx => claimed = await tx.Connection.QuerySingleOrDefaultAsync<RunRow>(new CommandDefinition(
            """
            update attribution_run r set due_time = @lease, attempts = attempts + 1, done = 0
            from (select id from attribution_run where workspace_id = @workspaceId and due_time <= @now
                  order by due_time limit 1 for update skip locked) due
            where r.workspace_id = @workspaceId and r.id = due.id returning r.*
            """,
            new { workspaceId, now = tx.Now, lease = tx.Now + Lease },
            cancellationToken: ct)), ct);
        return claimed;
    }

    /// <returns>Null where another worker has taken the run over.</returns>
    private async Task<CreditSums?> Credit(Guid workspaceId, RunRow run, CancellationToken ct)
    {
        var total = await work.Read(workspaceId, tx => tx.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
            $"select count(*) from ({Source(run)}) conversion", Parameters(tx, run, Guid.Empty), cancellationToken: ct)), ct);
        if (!await Note(workspaceId, run, total, 0, ct))
        {
            return null;
        }

        var sources = new TouchSources(run.Dimensions);
        var (sums, done) = (new CreditSums(run, sources), 0L);
        var batch = await Read(workspaceId, run, sources, Guid.Empty, ct);
        while (batch.Count > 0 && !sums.IsTooMany)
        {
            var next = batch.Count == options.Value.AttributionBatch
                ? Read(workspaceId, run, sources, batch[^1].Id, ct)
                : Task.FromResult(new List<ConversionRow>());
            foreach (var row in batch)
            {
                sums.Add(row);
            }

            done += batch.Count;
            batch = await next;
            if (!await Note(workspaceId, run, total, done, ct))
            {
                return null;
            }
        }

        LogCredited(run.Id, done);
        return sums;
    }

    private Task<List<ConversionRow>> Read(
        Guid workspaceId, RunRow run, TouchSources sources, Guid after, CancellationToken ct) => work.Read(
        workspaceId,
        async tx =>
        {
            var rows = (await tx.Connection.QueryAsync<ConversionRow>(new CommandDefinition(
                Page(run), Parameters(tx, run, after), cancellationToken: ct))).AsList();
            await sources.Load(tx, rows);
            return rows;
        },
        ct);

    private object Parameters(Transaction<ConversionDbContext> tx, RunRow run, Guid after) => new
    {
        workspace = tx.WorkspaceId,
        run.Kind,
        run.CreateTime,
        run.CurrencyCode,
        after,
        batch = options.Value.AttributionBatch,
        lost = run.Model == (int)AttributionKind.Markov,
    };

    /// <returns>False where the run is no longer this worker's.</returns>
    private async Task<bool> Note(Guid workspaceId, RunRow run, long total, long done, CancellationToken ct)
    {
        var noted = 0;
        await work.Run(workspaceId, async tx => noted = await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update attribution_run set total = @total, done = @done, due_time = @lease
            where workspace_id = @workspaceId and id = @id and attempts = @attempts and state = 'RUNNING'
            """,
            new { workspaceId, run.Id, run.Attempts, total, done, lease = tx.Now + Lease },
            cancellationToken: ct)), ct);
        return noted == 1;
    }

    private Task Finish(Guid workspaceId, RunRow run, IReadOnlyList<CreditRow> credits, string? error, CancellationToken ct) =>
        work.Run(workspaceId, async tx =>
        {
            var finished = await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update attribution_run set state = @state, error = @error, due_time = null, finish_time = @now
            where workspace_id = @workspaceId and id = @id and attempts = @attempts and state = 'RUNNING'
            """,
            new { workspaceId, run.Id, run.Attempts, state = error is null ? "DONE" : "FAILED", error, now = tx.Now },
            cancellationToken: ct));
            if (finished == 1)
            {
                await Bulk.Insert(
                    tx,
                    "attribution_run_credit",
                    [
                        BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, credits, _ => workspaceId),
                        BulkColumn.From("run_id", NpgsqlDbType.Uuid, credits, _ => run.Id),
                        BulkColumn.From("month", NpgsqlDbType.Date, credits, credit => credit.Month),
                        BulkColumn.From("group_key", NpgsqlDbType.Text, credits, credit => credit.GroupKey),
                        BulkColumn.From("conversions", NpgsqlDbType.Numeric, credits, credit => credit.Conversions),
                        BulkColumn.From("amount", NpgsqlDbType.Numeric, credits, credit => credit.Amount),
                        BulkColumn.From("removal_effect", NpgsqlDbType.Double, credits, credit => credit.RemovalEffect),
                    ]);
            }
        }, ct);

    /// <summary>SQL of the next conversions. The journeys of a page of deals are looked up one by one (lateral, offset 0): Postgres would
    /// rather hold all journeys against each page.</summary>
    private static string Page(RunRow run) => run.ConversionKind == ConversionKind.Customer
        ? $"""
        select f.*, j.path_keys, j.path_times from ({Source(run)} order by id limit @batch) f
        left join lateral (
          select path_keys, path_times from journey j where j.workspace_id = @workspace and j.opportunity_id = f.id offset 0) j on true
        order by f.id
        """
        : $"{Source(run)} order by id limit @batch";

    private static string Source(RunRow run) => run.ConversionKind == ConversionKind.Customer
        ? """
        select f.opportunity_id as id, f.opportunity_id, f.state, f.amount, f.close_time, f.create_time, f.lead_id, f.origin_time,
          f.lead_id is not null as has_lead, f.source_key
        from deal_fact f
        where f.workspace_id = @workspace and f.opportunity_id > @after and f.close_time <= @createTime and f.currency_code = @currencyCode
          and (f.state = 'WON' or (@lost and f.state = 'LOST' and f.lead_id is not null))
        """
        : """
        select j.lead_id as id, 'WON' as state, 0::numeric as amount, j.time as close_time, j.time as create_time, p.lead_id,
          coalesce(l.create_time, j.time) as origin_time, j.path_keys, j.path_times, true as has_lead, conversion.source_key(p) as source_key
        from stage_journey j
        join lead l on l.workspace_id = j.workspace_id and l.lead_id = j.lead_id
        join lead p on p.workspace_id = l.workspace_id and p.lead_id = coalesce(l.merged_into, l.lead_id)
        where j.workspace_id = @workspace and j.kind = @kind and j.lead_id > @after and j.time <= @createTime
          and not exists (
            select 1 from lead m join stage_journey o on o.workspace_id = m.workspace_id and o.kind = @kind and o.lead_id = m.lead_id
            where m.workspace_id = l.workspace_id and m.lead_id <> l.lead_id and (m.lead_id = l.merged_into or m.merged_into = p.lead_id)
              and (o.time, o.lead_id) < (j.time, j.lead_id))
        """;

    [LoggerMessage(4121, LogLevel.Information, "Attribution run {RunId} has credited {Conversions} conversions")]
    private partial void LogCredited(Guid runId, long conversions);
}
