using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture;

/// <summary>What this service adds to its host.</summary>
internal static class CaptureSetup
{
    public static void AddCapture(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<CaptureOptions>().BindConfiguration(CaptureOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => new ChannelClassifier(ChannelRules.Default, provider.GetRequiredService<IOptions<CaptureOptions>>().Value.AiAssistantChannel));
        services.AddSingleton(provider => new SourceReader(
            ChannelRules.Default, provider.GetRequiredService<ChannelClassifier>(),
            provider.GetRequiredService<IOptions<CaptureOptions>>().Value.ExcludedReferrers.Select(host => host.ToLowerInvariant()).ToHashSet()));
        services.AddSingleton<MessageReader>();
        services.AddSingleton<CommitMessages>();
        services.AddSingleton<IngestQueue>();
        services.AddHostedService(provider => provider.GetRequiredService<IngestQueue>());
        services.AddSingleton<Ingest>();
    }

    public static void MapCapture(this WebApplication app)
    {
        app.MapIngest();
        app.MapRpcService<IngestGrpcService>();
    }
}
