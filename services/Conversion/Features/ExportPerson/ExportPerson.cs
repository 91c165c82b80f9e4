using System.Text.Json;
using Dapper;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Conversion.Features.AnswerHandoff;
using Lifecycle.Conversion.Features.MoveLeadStage;
using Lifecycle.Conversion.Features.OpenOpportunity;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.ExportPerson;

/// <summary>All that this service holds on one person, also under ids that were merged into this one.</summary>
public sealed class ExportPerson(UnitOfWork<ConversionDbContext> work)
{
    /// <summary>Members <c>stages</c>, <c>handoffs</c>, <c>opportunities</c>, <c>contactOf</c>, <c>deliveries</c>, <c>journeys</c>,
    /// <c>stageJourneys</c>, <c>profile</c>; empty for a stranger.</summary>
    public Task<Struct> Handle(Guid workspaceId, Guid leadId, CancellationToken ct) => work.Read(workspaceId, async tx =>
    {
        var data = new Struct();
        var leads = await tx.Db.Leads.Where(row => row.LeadId == leadId || row.MergedInto == leadId).OrderBy(row => row.LeadId)
            .ToListAsync(ct);
        var ids = leads.Select(row => row.LeadId).ToArray();
        if (ids.Length == 0)
        {
            return data;
        }

        var stages = new List<IMessage>();
        foreach (var lead in leads)
        {
            stages.Add(await StageMessages.Read(tx, lead));
        }

        data.Fields["stages"] = Array(stages);
        data.Fields["handoffs"] = Array(
            (await tx.Db.Handoffs.Where(row => ids.Contains(row.LeadId)).OrderBy(row => row.CreateTime).ToListAsync(ct))
                .Select(row => row.ToProto(tx.Now)));
        data.Fields["opportunities"] = Array(
            (await tx.Db.Opportunities.Where(row => row.LeadId != null && ids.Contains(row.LeadId.Value)).OrderBy(row => row.CreateTime)
                .ToListAsync(ct))
            .Select(row => row.ToProto()));
        data.Fields["contactOf"] = Array((await OpportunityHistory.WithContact(tx, ids)).OrderBy(row => row.Id)
            .Select(row => new Opportunity
            {
                Id = row.Id.ToString(),
                Contacts =
            {
                row.ReadContacts().Where(contact => ids.Contains(contact.LeadId))
                    .Select(contact => new OpportunityContact { LeadId = contact.LeadId.ToString(), Role = contact.Role }),
            },
            }));
        data.Fields["deliveries"] = Value.ForList([.. (await tx.Db.Set<WebhookDeliveryRow>()
            .Where(row => row.LeadId != null && ids.Contains(row.LeadId.Value) && row.Body != "")
            .OrderBy(row => row.CreateTime).ToListAsync(ct)).Select(row => Value.ForStruct(Struct.Parser.ParseJson(
                $$"""{"type":"{{row.Type}}","createTime":"{{row.CreateTime.UtcDateTime:O}}","body":{{row.Body}}}""")))]);
        var journeys = await tx.Db.Journeys.Where(row => ids.Contains(row.LeadId) && row.Touches != null).ToListAsync(ct);
        data.Fields["journeys"] = Value.ForList([.. journeys.Select(row => Value.ForStruct(Struct.Parser.ParseJson(
            $$"""{"opportunityId":"{{row.OpportunityId}}","touches":{{row.Touches}}}""")))]);
        var reached = await tx.Connection.QueryAsync<(string Kind, string Touches)>(new CommandDefinition(
            "select kind, touches from stage_journey where workspace_id = @workspaceId and lead_id = any(@ids) and touches is not null order by time, kind",
            new { workspaceId, ids },
            cancellationToken: ct));
        data.Fields["stageJourneys"] = Value.ForList([.. reached.Select(row => Value.ForStruct(Struct.Parser.ParseJson(
            $$"""{"stage":"{{row.Kind}}","touches":{{row.Touches}}}""")))]);
        data.Fields["profile"] = Value.ForList([.. leads.Select(lead => Value.ForStruct(Struct.Parser.ParseJson(JsonSerializer.Serialize(
            new { lead.LeadId, lead.Email, lead.ExternalId, lead.CaptureType, lead.CreateTime, lead.FirstTouch,
                Traits = lead.ReadTraits(), Company = lead.ReadCompany() },
            JsonSerializerOptions.Web))))]);
        return data;
    }, ct);

    private static Value Array(IEnumerable<IMessage> messages) =>
        Value.ForList([.. messages.Select(message => Value.ForStruct(Struct.Parser.ParseJson(ProtoJson.Format(message))))]);
}
