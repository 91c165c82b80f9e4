using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Lets many known leads into a program.</summary>
internal sealed class BatchEnrollHandler(UnitOfWork<NurtureDbContext> unitOfWork, EnrollLeadHandler enroll)
{
    private const int MaxLeads = 1000;

    public async Task<BatchCreateEnrollmentsResponse> Handle(BatchCreateEnrollmentsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.ProgramId, "programId", out var programId);
        var named = NamedLeads.Read(request.LeadIds, request.Emails, request.SegmentId, request.PageToken, MaxLeads, violations);
        violations.OrThrow();
        return (await unitOfWork.RunIdempotent(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (!(await ProgramWriter.Find(tx, programId)).TryGet(out var row, out var missing))
            {
                return missing;
            }

            if (row.State != ProgramRow.Active)
            {
                return Error.Precondition($"The program is {row.State}; start it first.");
            }

            return (await named.Find(tx, MaxLeads)).TryGet(out var found, out var unknown)
                ? await Enter(tx, new ActiveProgram(programId, row.Version, ProgramStore.Parse(row.Path)), found.Leads, found.NextPageToken)
                : unknown;
        }, context.CancellationToken)).OrThrow();
    }

    private async Task<Result<BatchCreateEnrollmentsResponse>> Enter(
        Transaction<NurtureDbContext> tx, ActiveProgram program, IReadOnlyList<(string Given, Guid? LeadId)> leads, string nextPageToken)
    {
        var response = new BatchCreateEnrollmentsResponse { NextPageToken = nextPageToken };
        var rows = await LeadStore.LockAll(tx, [.. leads.Select(lead => lead.LeadId).OfType<Guid>()]);
        foreach (var (given, leadId) in leads)
        {
            var entered = leadId is not { } id || rows[id] is not { EraseTime: null, MergedInto: null } row
                ? Error.NotFound("Lead", given)
                : Refusal(program.Path, row, tx.Now) is { } refusal
                    ? Error.Precondition(refusal)
                    : await enroll.Enter(tx, program, row, PendingEntries.Trigger);
            if (entered.Error is { } error)
            {
                response.Refused.Add(new RefusedEnrollment { Lead = given, Reason = error.Message });
            }
            else
            {
                response.Entered++;
            }
        }

        return response;
    }

    /// <summary>Why a lead at its stage does not enter; null: it may.</summary>
    internal static string? Refusal(ProgramPath path, LeadRow lead, DateTimeOffset now) =>
        path.Admits(new ManualCause(), StageNames.TryParse(lead.Stage, out var stage) ? stage : null, now) is null
            ? $"The lead is at {lead.Stage}, where the program ends." : null;
}
