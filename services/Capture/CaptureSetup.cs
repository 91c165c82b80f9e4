using System.Net;
using Lifecycle.Capture.Consumers;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Features.ExportPerson;
using Lifecycle.Capture.Features.ImportLeads;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Features.QueryMetrics;
using Lifecycle.Capture.Features.ReadLeads;
using Lifecycle.Capture.Features.ReclassifyChannels;
using Lifecycle.Capture.Features.RetainData;
using Lifecycle.Capture.Features.ServeTracking;
using Lifecycle.Capture.Features.Spend;
using Lifecycle.Capture.Jobs;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture;

/// <summary>What this service adds to its host.</summary>
internal static class CaptureSetup
{
    public static void AddCapture(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<CaptureOptions>().BindConfiguration(CaptureOptions.Section).ValidateDataAnnotations()
            .Validate(
                options => options.BotNetworks.All(network => IPNetwork.TryParse(network, out _)),
                "Capture:BotNetworks must be networks such as 203.0.113.0/24.")
            .ValidateOnStart();
        services.AddSingleton<ChannelsCache>();
        services.AddSingleton<ChannelsManager>();
        services.AddSingleton<ReclassificationRequests>();
        services.AddSingleton<ReclassificationSignal>();
        services.AddSingleton<ReclassifyBatch>();
        services.AddHostedService<ReclassificationJob>();
        services.AddSingleton<MessageReader>();
        services.AddSingleton<Partitions>();
        services.AddSingleton<CommitMessages>();
        services.AddSingleton<IngestRoom>();
        services.AddSingleton<IngestQueue>();
        services.AddHostedService(provider => provider.GetRequiredService<IngestQueue>());
        services.AddSingleton<TrackingSites>();
        services.AddSingleton<CallSources>();
        services.AddSingleton(provider => new BotNetworks(provider.GetRequiredService<IOptions<CaptureOptions>>().Value.BotNetworks));
        services.AddSingleton<DeclareHuman>();
        services.AddSingleton<Ingest>();
        services.AddSingleton<LeadReader>();
        services.AddSingleton<LeadWriter>();
        services.AddSingleton<JourneyReader>();
        services.AddSingleton<LeadImport>();
        services.AddImportJournal();
        services.AddSingleton<ImportSignal>();
        services.AddHostedService<ImportAnnouncer>();
        services.AddSingleton<SpendImport>();
        services.AddSingleton<SpendReader>();
        services.AddSingleton<CaptureMetrics>();
        services.AddSingleton<RebuildMetrics>();
        services.AddSingleton<PersonExport>();
        services.AddSingleton<ErasureReceipts>();
        services.AddHostedService<MessageCleaner>();
        services.AddHostedService<PartitionKeeper>();
        services.AddSingleton<RetentionPolicy>();
        services.AddSingleton<DataRetainer>();
        services.AddHostedService<ErasureReminder>();
        services.AddHostedService<RollupKeeper>();
        services.AddHostedService<ReadWarmUp>();
        services.AddSingleton<RollupFolder>();
        services.AddHostedService(provider => provider.GetRequiredService<RollupFolder>());
        services.AddHostedService<DataRetentionKeeper>();
        services.AddHostedService<StatisticsKeeper>();
        builder.AddPersonDataClients();
    }

    public static void AddConsumers(LifecycleBus bus)
    {
        bus.Consume<LeadStageChangedConsumer, LeadStageChanged>();
        bus.Consume<LeadErasureConfirmedConsumer, LeadErasureConfirmed>();
    }

    public static void MapCapture(this WebApplication app)
    {
        app.MapIngest();
        app.MapReports();
        app.MapTracking();
        app.MapRpcService<IngestGrpcService>();
        app.MapRpcService<ReportGrpcService>();
        app.MapRpcService<LeadGrpcService>();
        app.MapRpcService<DataRetentionGrpcService>();
        app.MapRpcService<SpendGrpcService>();
        app.MapRpcService<TrackingGrpcService>();
        app.MapRpcService<ChannelGrpcService>();
        app.MapRpcService<MetricsGrpcService>();
        app.MapRpcService<RollupGrpcService>();
        app.MapRpcService<BotGrpcService>();
        app.MapRpcService<PersonDataGrpcService>();
    }
}
