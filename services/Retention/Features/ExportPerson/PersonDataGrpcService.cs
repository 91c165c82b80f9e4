using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ExportPerson;

/// <summary>All that Retention holds on a lead.</summary>
public sealed class PersonDataGrpcService(UnitOfWork<RetentionDbContext> work) : PersonDataService.PersonDataServiceBase
{
    public override async Task<ExportPersonResponse> ExportPerson(ExportPersonRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var leadId);
        violations.OrThrow();
        return await work.Read(context.Caller().WorkspaceId, tx => Export(tx, leadId), context.CancellationToken);
    }

    private static async Task<ExportPersonResponse> Export(Transaction<RetentionDbContext> tx, Guid leadId)
    {
        leadId = await LeadProfiles.Resolve(tx, leadId);
        var (workspaceId, ct) = (tx.WorkspaceId, tx.CancellationToken);
        if (await LeadProfiles.Find(tx, leadId) is { Erased: true })
        {
            return new() { Data = new Struct() };
        }

        var customers = await tx.Db.Customers.Where(row => row.WorkspaceId == workspaceId && row.LeadId == leadId).ToListAsync(ct);
        var ids = customers.Select(row => row.Id).ToArray();
        var contacts = await tx.Db.Contacts.Where(row => row.WorkspaceId == workspaceId && row.LeadId == leadId).ToListAsync(ct);
        var held = await tx.Db.HeldBookings.Where(row => row.WorkspaceId == workspaceId && row.LeadId == leadId).ToListAsync(ct);
        var data = new
        {
            customers = customers.Select(row => new
            {
                row.Id,
                row.ExternalId,
                row.DisplayName,
                row.StartTime,
                row.Segment,
                row.Plan,
                row.Owner,
                row.ChurnReason,
                row.ChurnTime
            }),
            signals = (await tx.Db.Signals.Where(row => row.WorkspaceId == workspaceId
                && (ids.Contains(row.CustomerId) || row.LeadId == leadId)).ToListAsync(ct))
                .Select(row => new { row.Id, row.Kind, row.Quantity, row.Name, row.Time }),
            heldSignals = (await tx.Db.HeldSignals.Where(row => row.WorkspaceId == workspaceId && row.LeadId == leadId).ToListAsync(ct))
                .Select(row => new { row.ActivityId, row.Kind, row.Quantity, row.Name, row.Time }),
            contacts = contacts.Select(row => new { row.Id, row.CustomerId, row.DisplayName, row.Email, row.Role }),
            heldBookings = held.Select(
                row => new { row.OpportunityId, row.Account, amount = row.Amount.ToString(null, null), row.CurrencyCode, row.CloseTime }),
            revenue = (await tx.Db.Revenue.Where(row => row.WorkspaceId == workspaceId && ids.Contains(row.CustomerId)).ToListAsync(ct))
                .Select(row => new
                {
                    row.Id,
                    type = Names.Of(row.Type),
                    amount = row.Amount.ToString(null, null),
                    row.CurrencyCode,
                    row.OccurTime,
                    row.Reason
                }),
            surveyAnswers = (await tx.Db.Answers.Where(row => row.WorkspaceId == workspaceId
                && (row.LeadId == leadId || ids.Contains(row.CustomerId!.Value))).ToListAsync(ct))
                .Select(row => new { row.Id, row.SurveyId, row.Score, row.Comment, row.AnswerTime }),
            surveyInvitations = (await tx.Db.Invitations.Where(row => row.WorkspaceId == workspaceId
                && (row.LeadId == leadId || ids.Contains(row.CustomerId))).ToListAsync(ct))
                .Select(row => new { row.Id, row.SurveyId, row.Occasion, row.State, row.InviteTime }),
            surveyTasks = (await tx.Db.Tasks.Where(row => row.WorkspaceId == workspaceId
                && (row.LeadId == leadId || ids.Contains(row.CustomerId!.Value))).ToListAsync(ct))
                .Select(row => new { row.Id, row.SurveyId, row.Score, row.State, row.Note, row.CreateTime }),
            referrals = (await tx.Db.Referrals.Where(row => row.WorkspaceId == workspaceId
                && (row.AdvocateLeadId == leadId || row.ReferredLeadId == leadId)).ToListAsync(ct))
                .Select(row => new { row.Id, row.AdvocateLeadId, row.ReferredEmail, row.CreateTime }),
            referralLinks = (await tx.Db.ReferralLinks.Where(row => row.WorkspaceId == workspaceId && row.AdvocateLeadId == leadId)
                .ToListAsync(ct))
                .Select(row => new { row.Id, row.Code, row.Program, row.CreateTime, row.RevokeTime }),
            advocacy = (await tx.Db.Advocacy.Where(row => row.WorkspaceId == workspaceId && ids.Contains(row.CustomerId)).ToListAsync(ct))
                .Select(row => new { row.Id, row.Kind, row.Status, row.Title, row.Url, row.CreateTime }),
            loyaltyEntries = (await tx.Db.LoyaltyEntries.Where(row => row.WorkspaceId == workspaceId && ids.Contains(row.CustomerId))
                .ToListAsync(ct))
                .Select(row => new { row.Id, row.ProgramId, row.Points, row.Reason, row.Time }),
        };
        return new() { Data = JsonParser.Default.Parse<Struct>(JsonSerializer.Serialize(data, JsonSerializerOptions.Web)) };
    }
}
