using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Crm;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;

namespace Lifecycle.Conversion.Storage;

/// <summary>A connection that qualified leads are sent to.</summary>
public sealed class CrmTarget
{
    public Guid Id { get; init; }

    /// <summary>JSON object: field of the CRM → pointer into the lead.</summary>
    public string FieldMap { get; init; } = "{}";
}

/// <summary>Queues for CRMs what happens to leads, in the transaction in which it happens.</summary>
public static class CrmOutbox
{
    public const string LeadQualified = "lead.qualified";
    public const string ConnectionTest = "connection.test";

    private static readonly JsonSerializerOptions Json = new(
        JsonSerializerDefaults.Web)
    { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The lead as it is when it is offered to sales. Of an erased person nothing is told.</summary>
    public static void TellQualified(
        Transaction<ConversionDbContext> tx, LeadRow lead, HandoffRow handoff, IReadOnlyList<ReasonInfo> reasons,
            IReadOnlyList<CrmTarget> targets)
    {
        if (targets.Count == 0 || lead.Erased)
        {
            return;
        }

        var document = JsonSerializer.SerializeToElement(
            new
            {
                lead.LeadId,
                lead.Email,
                lead.ExternalId,
                Stage = Stage.Mql.Name(),
                lead.CaptureType,
                lead.FormType,
                lead.CreateTime,
                lead.Score,
                Reasons = reasons,
                lead.FirstTouch,
                Company = lead.ReadCompany(),
                Traits = lead.ReadTraits(),
                HandoffId = handoff.Id,
                handoff.Owner,
                QualifyTime = handoff.CreateTime,
            },
            Json);
        foreach (var target in targets)
        {
            WebhookDeliveries.Add(tx, target.Id, LeadQualified, Body(LeadQualified, tx.Now, Mapped(document, target.FieldMap)),
                lead.LeadId);
        }
    }

    /// <summary>A message as Standard Webhooks recommends it: type, timestamp, data.</summary>
    public static string Body(string type, DateTimeOffset time, JsonNode data) =>
        new JsonObject
        {
            ["type"] = type,
            ["timestamp"] = JsonSerializer.SerializeToNode(time.UtcDateTime, Json),
            ["data"] = data
        }.ToJsonString(Json);

    private static JsonNode Mapped(JsonElement document, string fieldMap)
    {
        var map = JsonSerializer.Deserialize<Dictionary<string, string>>(fieldMap, Json)!;
        if (map.Count == 0)
        {
            return JsonSerializer.SerializeToNode(document, Json)!;
        }

        var data = new JsonObject();
        foreach (var (field, pointer) in map)
        {
            data[field] = JsonPointer.Find(document, pointer) is { ValueKind: not JsonValueKind.Null } value
                ? JsonSerializer.SerializeToNode(value, Json) : null;
        }

        return data;
    }
}
