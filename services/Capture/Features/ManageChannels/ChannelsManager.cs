using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using SettingsMessage = Lifecycle.Capture.V1.ChannelSettings;

namespace Lifecycle.Capture.Features.ManageChannels;

/// <summary>Reads and replaces a workspace's channel settings.</summary>
internal sealed class ChannelsManager(UnitOfWork<CaptureDbContext> work, ChannelsCache cache)
{
    public Task<Result<SettingsMessage>> Get(Caller caller, int version, CancellationToken ct) => work.Read(caller.WorkspaceId, async tx =>
        await ChannelSettingsStore.Find(tx, version) is { } stored ? ToProto(stored)
        : version == 0 ? ToProto(new(cache.Unset, null, ""))
        : (Result<SettingsMessage>)Error.NotFound("Version of the channel settings", version), ct);

    public async Task<Result<SettingsMessage>> Update(Caller caller, UpdateChannelsRequest request, CancellationToken ct)
    {
        if (request.Settings is null)
        {
            return Error.Invalid("settings", "settings is required.");
        }

        var settings = ToSettings(request.Settings);
        if (settings.Compile(ChannelRules.Default, "settings.").Error is { } fault)
        {
            return fault;
        }

        var answer = await work.RunIdempotent<SettingsMessage>(
            caller.WorkspaceId, "capture.UpdateChannels", request.RequestId, request, async tx =>
            {
                await ChannelSettingsStore.Lock(tx);
                var current = (await ChannelSettingsStore.Find(tx))?.Settings.Version ?? 0;
                if (request.HasBaseVersion && request.BaseVersion != current)
                {
                    return Error.Aborted($"Version {current} is in force by now, not {request.BaseVersion}.");
                }

                var next = settings with { Version = current + 1 };
                await ChannelSettingsStore.Add(tx, next, caller.Actor);
                return ToProto(new(next, tx.Now, caller.Actor));
            }, ct);
        cache.Forget(caller.WorkspaceId);
        return answer;
    }

    private Domain.Channels.ChannelSettings ToSettings(SettingsMessage message) => new(
        0,
        message.Rules.Select(rule => new CustomChannelRule(rule.Channel.Trim(), rule.Condition)).ToArray(),
        message.OwnDomains.Distinct().ToArray(),
        message.ExcludedReferrers.Distinct().ToArray(),
        !message.HasPaymentAndLoginExcluded || message.PaymentAndLoginExcluded,
        message.HasAiAssistantChannel ? message.AiAssistantChannel : cache.Unset.AiAssistantChannel);

    private static SettingsMessage ToProto(StoredChannelSettings stored)
    {
        var settings = stored.Settings;
        return new()
        {
            Version = settings.Version,
            Rules = { settings.Rules.Select(rule => new ChannelRule { Channel = rule.Channel, Condition = rule.Condition }) },
            OwnDomains = { settings.OwnDomains },
            ExcludedReferrers = { settings.ExcludedReferrers },
            PaymentAndLoginExcluded = settings.PaymentAndLoginExcluded,
            AiAssistantChannel = settings.AiAssistantChannel,
            RulesVersion = settings.RulesVersion(ChannelRules.Default),
            CreateTime = stored.CreateTime.ToProto(),
            Actor = stored.Actor,
        };
    }
}
