using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.EnrollLead;

/// <summary>
/// Leads that a file brought into a program before their profile came: they enter with it. Both sides hold the lead's row locked, so that
/// none falls between.
/// </summary>
internal static class PendingEntries
{
    /// <summary>Name of the trigger on enrollments that came by list or file.</summary>
    public const string Trigger = "IMPORT";

    /// <returns>Whether it is new.</returns>
    public static async Task<bool> Add(Transaction<NurtureDbContext> tx, Guid leadId, Guid programId, string key) =>
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into pending_entry (workspace_id, lead_id, program_id, key, create_time)
            values (@workspace, @leadId, @programId, @key, @now) on conflict do nothing
            """,
            new { workspace = tx.WorkspaceId, leadId, programId, key, now = tx.Now },
            cancellationToken: tx.CancellationToken)) == 1;

    /// <summary>
    /// The lead's profile has come, or the lead took another's place. A program that is paused by now holds it at its first step.
    /// </summary>
    public static async Task Enter(Transaction<NurtureDbContext> tx, EnrollLeadHandler enroll, LeadRow lead)
    {
        var pending = (await tx.Connection.QueryAsync<(Guid ProgramId, string Key)>(new CommandDefinition(
            "delete from pending_entry where workspace_id = @workspace and lead_id = @lead returning program_id, key",
            new { workspace = tx.WorkspaceId, lead = lead.LeadId },
            cancellationToken: tx.CancellationToken))).AsList();
        foreach (var (programId, key) in pending)
        {
            var row = await tx.Connection.QuerySingleOrDefaultAsync<ProgramRow>(new CommandDefinition(
                "select * from program where workspace_id = @workspace and id = @programId for share",
                new { workspace = tx.WorkspaceId, programId },
                cancellationToken: tx.CancellationToken));
            var stage = StageNames.TryParse(lead.Stage, out var known) ? known : (Stage?)null;
            if (row is null || ProgramStore.Parse(row.Path) is not { } path || path.Admits(new ManualCause(key), stage, tx.Now) is null)
            {
                continue;
            }

            var entered = await enroll.Enter(tx, new ActiveProgram(programId, row.Version, path), lead, Trigger, key);
            if (row.State != ProgramRow.Active && entered.Succeeded)
            {
                await tx.Connection.ExecuteAsync(new CommandDefinition(
                    "update enrollment set held = true where workspace_id = @workspace and id = @id and state = 'ACTIVE'",
                    new { workspace = tx.WorkspaceId, id = entered.Value.Id },
                    cancellationToken: tx.CancellationToken));
            }
        }
    }
}
