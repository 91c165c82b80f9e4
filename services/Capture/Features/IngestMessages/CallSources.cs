using System.Data.Common;
using System.Text.Json;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Domain.Tracking;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Features.ServeTracking;
using Lifecycle.Kernel;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// Gives calls the source whose number was called. A caller with a device, or a message that names a campaign, tells more than the number.
/// </summary>
internal sealed class CallSources(TrackingSites sites, ChannelsCache channels)
{
    /// <summary>The messages in their order. UNAVAILABLE when the database is out of reach.</summary>
    public async Task<Result<List<IngestMessage>>> Attribute(Guid workspaceId, List<IngestMessage> messages)
    {
        if (!messages.Exists(IsOpen))
        {
            return messages;
        }

        try
        {
            var site = await sites.Get(workspaceId, CancellationToken.None);
            var (numbers, sources) = (site.Settings.Numbers, await channels.Get(workspaceId));
            string Channel(string? source, string? medium, string? campaign) =>
                sources.Channels.Classify(new ChannelFacts(source, medium, campaign));
            return messages.ConvertAll(message => IsOpen(message) && TrackingNumber.Called(numbers, NumberOf(message)) is { } number
                ? message with { Source = number.ToSource(Channel) with { Rules = sources.Version } }
                : message);
        }
        catch (DbException exception) when (exception.IsTransient)
        {
            return Error.Unavailable("The messages could not be stored; send them again later.") with
            {
                RetryAfter = TimeSpan.FromSeconds(2)
            };
        }
    }

    private static bool IsOpen(IngestMessage message) =>
        message is { Type: ActivityTypes.Call, HasAnonymousId: false, Source.Kind: EvidenceKind.None or EvidenceKind.Direct };

    private static string? NumberOf(IngestMessage message)
    {
        using var properties = JsonDocument.Parse(message.Properties);
        var given = properties.RootElement is { ValueKind: JsonValueKind.Object } all
            && all.TryGetProperty("trackingNumber", out var number)
            ? number
            : default;
        return given.ValueKind switch { JsonValueKind.String => given.GetString(), JsonValueKind.Number => given.GetRawText(), _ => null };
    }
}
