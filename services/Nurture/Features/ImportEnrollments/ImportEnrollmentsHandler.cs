using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.ManagePrograms;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ImportEnrollments;

/// <summary>
/// Brings the people of a file into a program (see <see cref="BatchedImport"/>). Who is not known here is captured first, and enters when
/// the profile comes.
/// </summary>
internal sealed class ImportEnrollmentsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork, EnrollLeadHandler enroll, CaptureLeadsHandler capture)
{
    /// <summary>Columns that say who enters how; the others are the lead's.</summary>
    private static readonly string[] OwnColumns = ["leadId", "key"];

    public async Task<Result<ImportResponse>> Import(Caller caller, IAsyncStreamReader<ImportChunk> stream, CancellationToken ct)
    {
        if (!(await ImportRows.Open(stream, ct)).TryGet(out var import, out var error))
        {
            return error;
        }

        var program = Requests.Id(import.Parent, "parent");
        var found = await unitOfWork.Read(caller.WorkspaceId, tx => Active(tx, program), ct);
        return found.TryGet(out var active, out error)
            ? await new BatchedImport(unitOfWork, caller.WorkspaceId, import, $"enrollments:{program}").Run<IReadOnlyList<Entry>>(
                (rows, token) => Read(caller, active.Path.Reentry == Reentry.PerKey, rows, import.DryRun, token),
                (tx, entries, answer) => Enter(tx, program, entries, import.DryRun, answer),
                ct)
            : error;
    }

    private static async Task<Result<ActiveProgram>> Active(Transaction<NurtureDbContext> tx, Guid program) =>
        !(await ProgramWriter.Find(tx, program)).TryGet(out var row, out var missing)
            ? missing
            : row.State == ProgramRow.Active
                ? new ActiveProgram(program, row.Version, ProgramStore.Parse(row.Path))
                : Error.Precondition($"The program is {row.State}; start it first.");

    /// <summary>Who the rows are; those who are nobody yet are captured.</summary>
    private async Task<Result<IReadOnlyList<Entry>>> Read(
        Caller caller, bool hasKeys, IReadOnlyList<ImportRow> rows, bool isDryRun, CancellationToken ct)
    {
        var entries = rows.Select(row => Named(row, hasKeys)).ToList();
        var sound = entries.Where(entry => entry.Name is not null).ToList();
        var leads = await unitOfWork.Read(caller.WorkspaceId, tx => LeadFinder.Find(tx, [.. sound.Select(entry => entry.Name!)]), ct);
        var unknown = new List<UnknownRow>();
        for (var index = 0; index < sound.Count; index++)
        {
            var entry = sound[index];
            entry.LeadId = leads[index];
            if (entry.LeadId is null)
            {
                var email = entry.Name!.LeadId is null ? EmailAddress.Normalize(entry.Name.Email) : null;
                entry.Email = email;
                entry.Faults = email is not null ? [] : [entry.Name.Email is null ? ImportedName.Unknown : "email is no e-mail address."];
                if (email is not null)
                {
                    unknown.Add(new(entry.Row.Line, email, Lead(entry.Row, email, hasKeys)));
                }
            }
        }

        if (unknown.Count == 0)
        {
            return entries;
        }

        if (!(await capture.Capture(caller, unknown, isDryRun, ct)).TryGet(out var captured, out var error))
        {
            return error;
        }

        foreach (var entry in entries.Where(entry => entry.Email is not null))
        {
            entry.LeadId = captured.Leads.TryGetValue(entry.Email!, out var id) ? id : null;
            entry.Faults = captured.Faults.GetValueOrDefault(entry.Row.Line)
                ?? (entry.LeadId is null && !isDryRun ? ["The address is an earlier one of a lead that goes by another now."] : []);
        }

        return entries;
    }

    private static Entry Named(ImportRow row, bool hasKeys)
    {
        var key = hasKeys ? row["key"] ?? "" : "";
        return key.Length > ProgramPath.MaxKey
            ? new(row, null, "") { Faults = [$"key has {key.Length} characters; at most {ProgramPath.MaxKey} are accepted."] }
            : ImportedName.Read(row).TryGet(out var name, out var fault) ? new(row, name, key)
            : new(row, null, key) { Faults = [fault.Message] };
    }

    private static Dictionary<string, string?> Lead(ImportRow row, string email, bool hasKeys)
    {
        var values = row.Values.Where(cell => !OwnColumns.Take(hasKeys ? 2 : 1).Contains(cell.Key, StringComparer.OrdinalIgnoreCase))
            .ToDictionary(StringComparer.OrdinalIgnoreCase);
        values["email"] = email;
        return values;
    }

    private async Task<Error?> Enter(
        Transaction<NurtureDbContext> tx, Guid programId, IReadOnlyList<Entry> entries, bool isDryRun, ImportResponse answer)
    {
        // It may have been paused, or got another path, since the last rows.
        if (!(await Active(tx, programId)).TryGet(out var program, out var inactive))
        {
            return inactive;
        }

        var rows = await LeadStore.LockAll(tx, [.. entries.Select(entry => entry.LeadId).OfType<Guid>()]);
        foreach (var entry in entries)
        {
            if (entry.Faults.Count > 0)
            {
                BatchedImport.Reject(answer, entry.Row.Line, entry.Faults);
            }
            else if (entry.LeadId is not { } leadId)
            {
                // Only a dry run leaves somebody new without a lead.
                answer.Created++;
            }
            else
            {
                var lead = rows[leadId].MergedInto is null ? rows[leadId] : await LeadStore.LockStanding(tx, leadId);
                await Enter(tx, program, lead, entry, answer);
            }
        }

        return null;
    }

    private async Task Enter(Transaction<NurtureDbContext> tx, ActiveProgram program, LeadRow lead, Entry entry, ImportResponse answer)
    {
        if (lead.EraseTime is not null)
        {
            BatchedImport.Reject(answer, entry.Row.Line, ImportedName.Unknown);
        }
        else if (lead.ProfileVersion > 0 && BatchEnrollHandler.Refusal(program.Path, lead, tx.Now) is { } refusal)
        {
            BatchedImport.Reject(answer, entry.Row.Line, refusal);
        }
        else
        {
            // Who is or was in the program, as its re-entry rule has it, is no fault of the file.
            var isNew = lead.ProfileVersion == 0
                ? await PendingEntries.Add(tx, lead.LeadId, program.Id, entry.Key)
                : (await enroll.Enter(tx, program, lead, PendingEntries.Trigger, entry.Key)).Succeeded;
            answer.Created += isNew ? 1 : 0;
            answer.Unchanged += isNew ? 0 : 1;
        }
    }

    /// <summary>A row on its way into the program.</summary>
    private sealed class Entry(ImportRow row, LeadName? name, string key)
    {
        public ImportRow Row => row;

        /// <summary>Null for a row with a fault.</summary>
        public LeadName? Name => name;

        public string Key => key;

        /// <summary>Normalized, of somebody who is to be captured; else null.</summary>
        public string? Email { get; set; }

        public Guid? LeadId { get; set; }

        public IReadOnlyList<string> Faults { get; set; } = [];
    }
}
