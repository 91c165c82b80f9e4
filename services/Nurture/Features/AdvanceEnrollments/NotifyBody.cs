using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Storage;

namespace Lifecycle.Nurture.Features.AdvanceEnrollments;

/// <summary>What a notify step tells, in the envelope of all webhooks: type, timestamp, data.</summary>
internal static class NotifyBody
{
    public const string Type = "program.step_reached";

    public static string Write(DateTimeOffset now, DueEnrollment enrollment, NotifyStep step, LeadRow lead) => new JsonObject
    {
        ["type"] = Type,
        ["timestamp"] = now.UtcDateTime,
        ["data"] = new JsonObject
        {
            ["programId"] = enrollment.ProgramId,
            ["stepId"] = step.Id,
            ["enrollmentId"] = enrollment.Id,
            ["key"] = enrollment.Key,
            ["lead"] = new JsonObject
            {
                ["id"] = lead.LeadId,
                ["email"] = lead.Email,
                ["stage"] = lead.Stage,
                ["score"] = lead.Score,
                ["traits"] = JsonNode.Parse(lead.Traits),
            },
        },
    }.ToJsonString(JsonSerializerOptions.Web);
}
