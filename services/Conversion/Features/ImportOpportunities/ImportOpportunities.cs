using Dapper;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Jobs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.ImportOpportunities;

/// <summary>
/// Reads deals from a CRM's export, in transactions of some hundred rows, keyed by external id: the same file again changes nothing, so
/// that an import that broke off is simply sent again; with a request id it goes on where it ended.
/// </summary>
public sealed class ImportOpportunities(
    UnitOfWork<ConversionDbContext> work,
    EnsureLead.EnsureLead leads,
    JourneySignal journeys,
    ConversionTelemetry telemetry,
    IOptions<ConversionOptions> options,
    TimeProvider time)
{
    private const int MaxRejections = 1000;
    private static readonly Error RolledBack = Error.Aborted("A dry run changes nothing.");

    public async Task<Result<ImportResponse>> Handle(IAsyncStreamReader<ImportChunk> stream, Caller caller, CancellationToken ct)
    {
        var opened = await ImportRows.Open(stream, ct);
        if (!opened.TryGet(out var import, out var error))
        {
            return error;
        }

        var pipelines = await ReadPipelines(caller, ct);
        using var journal = await ImportJournal.Open(work, caller.WorkspaceId, "opportunities", import.DryRun ? "" : import.RequestId, ct);
        var response = journal.Before<ImportResponse>() ?? new ImportResponse();
        var batch = new List<ImportLine>();
        await foreach (var row in import.Rows(ct))
        {
            if (!journal.WasHandled(row.Error, row.Values).TryGet(out var isDone, out var another))
            {
                return another;
            }

            if (isDone)
            {
                continue;
            }

            telemetry.RowsImported.Add(1);
            if (row.Error is { } unreadable)
            {
                Reject(response, row.Line, [unreadable]);
                continue;
            }

            var parsed = OpportunityImport.Parse(row.Values, name => pipelines.Find(name)?.Steps(), caller.CurrencyCode, caller.TimeZone,
                time.GetUtcNow());
            if (parsed.TryGet(out var value, out var faults))
            {
                batch.Add(new(row.Line, value));
            }
            else
            {
                Reject(response, row.Line, faults.Violations.Select(violation => $"{violation.Field}: {violation.Message}"));
            }

            if (batch.Count == options.Value.ImportBatch)
            {
                if (await Write(batch, import.DryRun, caller, response, journal, isLast: false, ct) is { } lost)
                {
                    return lost;
                }

                batch.Clear();
            }
        }

        if (journal.Fault is { } shorter)
        {
            return shorter;
        }

        if (!journal.WasComplete && await Write(batch, import.DryRun, caller, response, journal, isLast: true, ct) is { } last)
        {
            return last;
        }

        journeys.Wake(caller.WorkspaceId);
        return response;
    }

    private async Task<ImportPipelines> ReadPipelines(Caller caller, CancellationToken ct)
    {
        ImportPipelines? pipelines = null;
        await work.Run(caller.WorkspaceId, async tx => pipelines = await ImportPipelines.Read(tx), ct);
        return pipelines!;
    }

    private async Task<Error?> Write(
        List<ImportLine> rows, bool dryRun, Caller caller, ImportResponse response, ImportJournal journal, bool isLast,
        CancellationToken ct)
    {
        var unknown = new Dictionary<Guid, string>();
        foreach (var id in rows.Select(row => row.Value.LeadId).OfType<Guid>().Distinct())
        {
            if ((await leads.Handle(caller.WorkspaceId, id, ct)).Error is { } error)
            {
                unknown.Add(id, error.Message);
            }
        }

        var (mark, counted) = (journal.Mark(), response);
        // A dry run does all the work and then takes it back: what it answers is what the import would.
        var result = await work.Run<Unit>(caller.WorkspaceId, async tx =>
        {
            var outcome = new ImportResponse();
            if (rows.Count > 0)
            {
                await WriteRows(tx, rows, unknown, caller, outcome);
            }

            counted = Sum(response, outcome);
            return dryRun ? RolledBack : await journal.Keep(tx, mark, counted, isLast) is { } taken ? taken : default(Unit);
        }, ct);
        if (result.Error is { } fault && fault != RolledBack)
        {
            return fault;
        }

        journal.Kept(mark);
        response.Rejected.Clear();
        (response.Created, response.Updated, response.Unchanged, response.RejectedCount) = (0, 0, 0, 0);
        response.MergeFrom(counted);
        return null;
    }

    private static ImportResponse Sum(ImportResponse before, ImportResponse outcome)
    {
        var sum = before.Clone();
        sum.Created += outcome.Created;
        sum.Updated += outcome.Updated;
        sum.Unchanged += outcome.Unchanged;
        foreach (var rejection in outcome.Rejected)
        {
            Reject(sum, rejection.Line, rejection.Errors);
        }

        return sum;
    }

    /// <summary>Writes checked rows, each counted in <paramref name="outcome"/>.</summary>
    /// <param name="unknown">Leads that nobody knows, and why rows that name them are refused.</param>
    /// <returns>Rows of a CRM that came too late.</returns>
    internal static async Task<int> WriteRows(
        Transaction<ConversionDbContext> tx, IReadOnlyList<ImportLine> rows, Dictionary<Guid, string> unknown, Caller caller,
        ImportResponse outcome)
    {
        var pipelines = await ImportPipelines.Read(tx);
        var byEmail = await LeadsByEmail(tx, rows);
        var externalIds = rows.Select(row => row.Value.ExternalId).Distinct().Order(StringComparer.Ordinal).ToArray();
        await OpportunityBook.LockExternalIds(tx, externalIds);
        var leadRows = await LockLeads(tx, rows, unknown, byEmail, externalIds);
        var known = (await tx.Db.Opportunities
            .FromSql(
                $"select * from opportunity where workspace_id = {tx.WorkspaceId} and external_id = any({externalIds}) and reopened_as is null order by id for update")
            .ToListAsync(tx.CancellationToken)).ToDictionary(row => row.ExternalId!, StringComparer.Ordinal);
        var writer = new OpportunityImportWriter(tx, pipelines, known, caller);
        foreach (var (line, value, changed) in rows)
        {
            var leadId = value.LeadId ?? (value.LeadEmail is { } email ? byEmail.GetValueOrDefault(email) : null);
            if (leadId is { } stranger && unknown.TryGetValue(stranger, out var why))
            {
                Reject(outcome, line, [why]);
            }
            else if (value.LeadEmail is not null && leadId is null)
            {
                Reject(outcome, line, [$"No lead has the e-mail {value.LeadEmail}."]);
            }
            else if ((await writer.Write(value, leadId is { } id ? leadRows[id] : null, leadRows, outcome, changed)).Error is { } refused)
            {
                Reject(outcome, line, [refused.Message]);
            }
        }

        return writer.Ignored;
    }

    private static async Task<Dictionary<string, Guid?>> LeadsByEmail(Transaction<ConversionDbContext> tx, IReadOnlyList<ImportLine> rows)
    {
        var emails = rows.Where(row => row.Value.LeadId is null).Select(row => row.Value.LeadEmail).OfType<string>().Distinct().ToArray();
        var found = await tx.Connection.QueryAsync<(string Email, Guid LeadId)>(new CommandDefinition(
            "select email, lead_id from lead where workspace_id = @workspace and email = any(@emails) and captured and merged_into is null",
            new { workspace = tx.WorkspaceId, emails },
            cancellationToken: tx.CancellationToken));
        return found.GroupBy(pair => pair.Email).ToDictionary(pairs => pairs.Key, pairs => (Guid?)pairs.Min(pair => pair.LeadId));
    }

    /// <summary>Locks every lead that the batch may move, in the order of ids, by the id it was named with.</summary>
    private static async Task<Dictionary<Guid, LeadRow>> LockLeads(
        Transaction<ConversionDbContext> tx, IReadOnlyList<ImportLine> rows, Dictionary<Guid, string> unknown,
        Dictionary<string, Guid?> byEmail, string[] externalIds)
    {
        var tied = await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            "select distinct lead_id from opportunity where workspace_id = @workspace and external_id = any(@externalIds) and reopened_as is null and lead_id is not null",
            new { workspace = tx.WorkspaceId, externalIds },
            cancellationToken: tx.CancellationToken));
        var ids = rows.Select(row => row.Value.LeadId).OfType<Guid>().Concat(byEmail.Values.OfType<Guid>()).Concat(tied).Distinct()
            .Where(id => !unknown.ContainsKey(id)).Order();
        var locked = new Dictionary<Guid, LeadRow>();
        foreach (var id in ids)
        {
            locked[id] = await StageLedger.Lock(tx, id);
        }

        return locked;
    }

    private static void Reject(ImportResponse response, int line, IEnumerable<string> errors)
    {
        response.RejectedCount++;
        if (response.Rejected.Count < MaxRejections)
        {
            response.Rejected.Add(new ImportRejection { Line = line, Errors = { errors } });
        }
    }

}

/// <summary>A checked row.</summary>
/// <param name="Line">Its line, or place in a message.</param>
/// <param name="Changed">When a CRM changed it; null for an import, which is told now.</param>
internal sealed record ImportLine(int Line, OpportunityImport Value, DateTimeOffset? Changed = null);

/// <summary>The pipelines that rows may name.</summary>
internal sealed record ImportPipelines(IReadOnlyList<PipelineRow> All)
{
    public static async Task<ImportPipelines> Read(Transaction<ConversionDbContext> tx)
    {
        await OpportunityBook.DefaultPipeline(tx);
        return new(await tx.Db.Pipelines.OrderBy(row => row.CreateTime).ThenBy(row => row.Id).ToListAsync(tx.CancellationToken));
    }

    /// <summary>By name, without regard to case (of several the oldest), or id; for null the default one.</summary>
    public PipelineRow? Find(string? name) => name is null
        ? All.Single(row => row.IsDefault)
        : All.FirstOrDefault(row => row.DisplayName.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? (Guid.TryParse(name, out var id) ? All.FirstOrDefault(row => row.Id == id) : null);
}
