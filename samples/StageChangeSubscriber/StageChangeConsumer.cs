using System.Text.Json;
using Lifecycle.Contracts;
using MassTransit;

namespace StageChangeSubscriber;

/// <summary>Prints each change once. The broker delivers at least once: what was seen before is dropped by lead and version.</summary>
internal sealed class StageChangeConsumer(SeenVersions seen) : IConsumer<LeadStageChanged>
{
    public async Task Consume(ConsumeContext<LeadStageChanged> context)
    {
        var change = context.Message;
        if (seen.Has(change.LeadId, change.Version))
        {
            return;
        }

        var line = JsonSerializer.Serialize(
            new { change.LeadId, change.From, change.To, change.Reason, change.Version }, JsonSerializerOptions.Web);
        await Console.Out.WriteLineAsync(line);
        await Console.Out.FlushAsync(context.CancellationToken);
        // After the print and before the message is acknowledged: a crash in between prints the line again rather than never.
        await seen.Keep(change.LeadId, change.Version, context.CancellationToken);
    }
}
