using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.AdvanceEnrollments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.ManageEmails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using ProgramLead = Lifecycle.Nurture.Features.AdvanceEnrollments.ProgramLead;
using SendingPolicy = Lifecycle.Nurture.Domain.Programs.SendingPolicy;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Tries a program before it is started: on leads without doing anything, and its mails on an address of one's own.</summary>
internal sealed class TryProgramHandler(UnitOfWork<NurtureDbContext> unitOfWork, ProgramStore programs, SendTestEmailHandler sendTest)
{
    private const int MaxLeads = 100;

    public async Task<DryRunProgramResponse> DryRunProgram(DryRunProgramRequest request, ServerCallContext context)
    {
        var (violations, caller) = (new Violations(), context.Caller());
        violations.RequireId(request.ProgramId, "programId", out var programId);
        var named = NamedLeads.Read(request.LeadIds, request.Emails, request.SegmentId, request.PageToken, MaxLeads, violations);
        violations.OrThrow();
        return await unitOfWork.Read(caller.WorkspaceId, async tx =>
        {
            var program = (await ProgramWriter.Find(tx, programId)).OrThrow();
            var (path, found) = (ProgramStore.Parse(program.Path), (await named.Find(tx, MaxLeads)).OrThrow());
            var ids = found.Leads.Select(lead => lead.LeadId).OfType<Guid>().ToList();
            var rows = await LeadStore.FindAll(tx, ids);
            var earlier = await Earlier(tx, programId, ids);
            var policy = await tx.Connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
                "select policy from sending_policy where workspace_id = @workspace",
                new { workspace = tx.WorkspaceId },
                cancellationToken: tx.CancellationToken)) is { } json ? ProgramStore.ParsePolicy(json) : SendingPolicy.None;
            var sent = await DueEnrollments.Sendings(tx, ids, policy);
            var reads = await ProgramReads.Load(tx, programs, ids.Select(id => new ProgramReader(Guid.Empty, id, path, null)));
            var response = new DryRunProgramResponse { NextPageToken = found.NextPageToken };
            foreach (var (given, leadId) in found.Leads)
            {
                if (leadId is not { } id || rows.GetValueOrDefault(id) is not { } row)
                {
                    response.Leads.Add(new DryRunLead { LeadId = given, Refusal = Error.NotFound("Lead", given).Message });
                    continue;
                }

                var lead = new ProgramLead(row, id, tx.Now, caller.TimeZone, programs, new(policy, sent[id]))
                {
                    IsTransactional = path.IsTransactional,
                    Reads = reads,
                };
                response.Leads.Add(Walk(path, row, lead, earlier.GetValueOrDefault(id), tx.Now));
            }

            return response;
        }, context.CancellationToken);
    }

    public async Task<SendTestProgramResponse> SendTestProgram(SendTestProgramRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.ProgramId, "programId", out var programId);
        violations.Require(EmailAddress.Normalize(request.To) is not null, "to", "to must be an address such as ada@example.com.");
        if (request.LeadId.Length > 0)
        {
            violations.RequireId(request.LeadId, "leadId", out _);
        }

        violations.OrThrow();
        var program = (await unitOfWork.Read(
            context.Caller().WorkspaceId, tx => ProgramWriter.Find(tx, programId), context.CancellationToken)).OrThrow();
        var response = new SendTestProgramResponse();
        foreach (var step in ProgramStore.Parse(program.Path).Steps.OfType<SendEmailStep>())
        {
            // Each mail has a request id of its own: a repetition after a break sends what has not gone yet.
            var sent = await sendTest.Send(
                new SendTestEmailRequest
                {
                    Id = step.EmailId.ToString(),
                    To = request.To,
                    LeadId = request.LeadId,
                    RequestId = request.RequestId.Length == 0 ? "" : $"{request.RequestId}/{step.Id}",
                },
                context);
            response.MessageIds.Add(sent.MessageId);
        }

        return response;
    }

    private static DryRunLead Walk(ProgramPath path, LeadRow row, ProgramLead lead, (int Times, bool IsIn) earlier, DateTimeOffset now)
    {
        var answer = new DryRunLead
        {
            LeadId = row.LeadId.ToString(),
            Refusal = BatchEnrollHandler.Refusal(path, row, now)
                ?? (earlier.IsIn && path.Reentry != Reentry.PerKey ? "The lead is in the program already."
                    : earlier.Times > 0 && path.Reentry == Reentry.Never
                    ? "The lead has been in the program, and its re-entry rule is NEVER."
                    : ""),
        };
        if (answer.Refusal.Length == 0)
        {
            var (steps, state) = DryRun.Walk(path, now, lead);
            answer.State = (Enrollment.Types.State)(int)state;
            answer.Steps.AddRange(steps.Select(step => new DryRunStep
            {
                StepId = step.Visit.Step.Id,
                Action = step.Visit.Step.Action,
                Time = step.Time.ToTimestamp(),
                EmailId = step is { Acts: true, Visit.Step: SendEmailStep send } ? send.EmailId.ToString() : "",
            }));
        }

        return answer;
    }

    private static async Task<Dictionary<Guid, (int Times, bool IsIn)>> Earlier(
        Transaction<NurtureDbContext> tx, Guid programId, IReadOnlyCollection<Guid> leadIds) =>
        (await tx.Connection.QueryAsync<(Guid LeadId, int Times, bool IsIn)>(new CommandDefinition(
            """
            select lead_id, count(*)::integer, bool_or(state = 'ACTIVE') from enrollment
            where workspace_id = @workspace and program_id = @programId and lead_id = any(@leads) group by lead_id
            """,
            new { workspace = tx.WorkspaceId, programId, leads = leadIds.ToArray() },
            cancellationToken: tx.CancellationToken))).ToDictionary(row => row.LeadId, row => (row.Times, row.IsIn));
}
