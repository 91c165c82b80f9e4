using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>Adds the leads of a file to a static list (see <see cref="BatchedImport"/>).</summary>
internal sealed class ImportMembersHandler(UnitOfWork<NurtureDbContext> unitOfWork, ChangeListHandler lists)
{
    public async Task<Result<ImportResponse>> Import(Guid workspaceId, IAsyncStreamReader<ImportChunk> stream, CancellationToken ct)
    {
        if (!(await ImportRows.Open(stream, ct)).TryGet(out var import, out var error))
        {
            return error;
        }

        var list = Requests.Id(import.Parent, "parent");
        var found = await unitOfWork.Read(workspaceId, tx => SegmentRules.RequireList(tx, list), ct);
        return found.Succeeded
            ? await new BatchedImport(unitOfWork, workspaceId, import, $"segment-members:{list}").Run<IReadOnlyList<ImportRow>>(
                (rows, _) => Task.FromResult<Result<IReadOnlyList<ImportRow>>>(rows.ToList()),
                (tx, rows, answer) => Add(tx, list, rows, answer), ct)
            : found.Error!;
    }

    private async Task<Error?> Add(Transaction<NurtureDbContext> tx, Guid list, IReadOnlyList<ImportRow> rows, ImportResponse answer)
    {
        var names = rows.Select(row => (row.Line, Result: ImportedName.Read(row))).ToList();
        var rejected = names.Where(name => !name.Result.Succeeded).Select(name => (name.Line, Fault: name.Result.Error!.Message)).ToList();
        var sound = names.Where(name => name.Result.Succeeded).Select(name => (name.Line, Name: name.Result.Value)).ToList();
        var leads = await LeadFinder.Find(tx, [.. sound.Select(row => row.Name)]);
        rejected.AddRange(sound.Zip(leads).Where(pair => pair.Second is null).Select(pair => (pair.First.Line, ImportedName.Unknown)));
        foreach (var (line, fault) in rejected.OrderBy(row => row.Line))
        {
            BatchedImport.Reject(answer, line, fault);
        }

        var known = leads.OfType<Guid>().ToList();
        var added = (await lists.Change(tx, list, known, true)).Count;
        answer.Created += added;
        answer.Unchanged += known.Count - added;
        return null;
    }
}
