using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>Adds the leads of a file to a static list, some hundred rows a transaction; a request id makes it resumable.</summary>
internal sealed class ImportMembersHandler(UnitOfWork<NurtureDbContext> unitOfWork, ChangeListHandler lists)
{
    private const int BatchSize = 500;
    private const int MaxRejections = 1000;

    public async Task<Result<ImportResponse>> Import(Guid workspaceId, IAsyncStreamReader<ImportChunk> stream, CancellationToken ct)
    {
        if (!(await ImportRows.Open(stream, ct)).TryGet(out var import, out var error))
        {
            return error;
        }

        var list = Requests.Id(import.Parent, "parent");
        var found = await unitOfWork.Read(workspaceId, tx => SegmentRules.RequireList(tx, list), ct);
        if (!found.Succeeded)
        {
            return found.Error!;
        }

        using var journal = await ImportJournal.Open(
            unitOfWork, workspaceId, $"segment-members:{list}", import.DryRun ? "" : import.RequestId, ct);
        var answer = journal.Before<ImportResponse>() ?? new ImportResponse();
        var batch = new List<ImportRow>(BatchSize);
        await foreach (var row in import.Rows(ct))
        {
            if (!journal.WasHandled(row.Error, row.Values).TryGet(out var wasHandled, out error))
            {
                return error;
            }

            if (!wasHandled)
            {
                batch.Add(row);
            }

            if (batch.Count == BatchSize)
            {
                if (await Write(workspaceId, list, import.DryRun, batch, journal, answer, false, ct) is { } fault)
                {
                    return fault;
                }

                batch.Clear();
            }
        }

        if (journal.Fault is { } shorter)
        {
            return shorter;
        }

        return !journal.WasComplete && await Write(workspaceId, list, import.DryRun, batch, journal, answer, true, ct) is { } last ? last : answer;
    }

    private async Task<Error?> Write(
        Guid workspaceId, Guid list, bool dryRun, IReadOnlyList<ImportRow> rows, ImportJournal journal, ImportResponse answer, bool isLast,
        CancellationToken ct)
    {
        var mark = journal.Mark();
        // The work may run again after a conflict: what it counts starts anew each time.
        var next = answer;
        var result = await unitOfWork.Run<ImportResponse>(
            workspaceId,
            async tx =>
            {
                next = answer.Clone();
                await Add(tx, list, dryRun, rows, next);
                return await journal.Keep(tx, mark, next, isLast) is { } fault ? fault : next;
            },
            ct);
        if (!result.TryGet(out _, out var error))
        {
            return error;
        }

        journal.Kept(mark);
        answer.MergeFrom(Difference(answer, next));
        return null;
    }

    private async Task Add(Transaction<NurtureDbContext> tx, Guid list, bool dryRun, IReadOnlyList<ImportRow> rows, ImportResponse answer)
    {
        var names = rows.Select(row => (row.Line, Result: Name(row))).ToList();
        var rejected = names.Where(name => !name.Result.Succeeded).Select(name => (name.Line, Fault: name.Result.Error!.Message)).ToList();
        var sound = names.Where(name => name.Result.Succeeded).Select(name => (name.Line, Name: name.Result.Value)).ToList();
        var leads = await LeadFinder.Find(tx, [.. sound.Select(row => row.Name)]);
        rejected.AddRange(sound.Zip(leads).Where(pair => pair.Second is null).Select(pair => (pair.First.Line, "No lead is known by this name.")));
        foreach (var (line, fault) in rejected.OrderBy(row => row.Line))
        {
            Reject(answer, line, fault);
        }

        var known = leads.OfType<Guid>().ToList();
        var added = dryRun ? await SegmentRules.CountMissing(tx, list, known) : (await lists.Change(tx, list, known, true)).Count;
        answer.Created += added;
        answer.Unchanged += known.Count - added;
    }

    private static Result<LeadName> Name(ImportRow row)
    {
        if (row.Error is { } fault)
        {
            return Error.Invalid("row", fault);
        }

        if (row["leadId"] is { } text)
        {
            return Guid.TryParse(text, out var id) ? new LeadName(id, null, null) : Error.Invalid("leadId", "leadId is no id.");
        }

        return row["email"] is null && row["externalId"] is null
            ? Error.Invalid("row", "leadId, email or externalId is required.")
            : new LeadName(null, row["email"], row["externalId"]);
    }

    private static void Reject(ImportResponse answer, int line, string fault)
    {
        answer.RejectedCount++;
        if (answer.Rejected.Count < MaxRejections)
        {
            answer.Rejected.Add(new ImportRejection { Line = line, Errors = { fault } });
        }
    }

    private static ImportResponse Difference(ImportResponse before, ImportResponse after)
    {
        var difference = new ImportResponse { Created = after.Created, Unchanged = after.Unchanged, RejectedCount = after.RejectedCount };
        difference.Rejected.AddRange(after.Rejected.Skip(before.Rejected.Count));
        return difference;
    }
}
