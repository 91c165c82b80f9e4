using Lifecycle.Capture.V1;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Consumers;
using Lifecycle.Conversion.Features.AnswerHandoff;
using Lifecycle.Conversion.Features.ChangeOpportunity;
using Lifecycle.Conversion.Features.CloseOpportunity;
using Lifecycle.Conversion.Features.CountDays;
using Lifecycle.Conversion.Features.EnsureLead;
using Lifecycle.Conversion.Features.ExportPerson;
using Lifecycle.Conversion.Features.ExportRevenue;
using Lifecycle.Conversion.Features.FreezeJourneys;
using Lifecycle.Conversion.Features.ImportOpportunities;
using Lifecycle.Conversion.Features.ManagePipelines;
using Lifecycle.Conversion.Features.ManageSalesTeams;
using Lifecycle.Conversion.Features.MoveLeadStage;
using Lifecycle.Conversion.Features.OpenOpportunity;
using Lifecycle.Conversion.Features.QueryMetrics;
using Lifecycle.Conversion.Features.ReopenOpportunity;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Features.RunAttribution;
using Lifecycle.Conversion.Features.SalesReports;
using Lifecycle.Conversion.Features.SyncCrm;
using Lifecycle.Conversion.Features.WatchHandoffs;
using Lifecycle.Conversion.Grpc;
using Lifecycle.Conversion.Jobs;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;

namespace Lifecycle.Conversion;

/// <summary>What the service consists of.</summary>
internal static class ServiceSetup
{
    public static void Consume(LifecycleBus bus)
    {
        bus.Consume<LeadCapturedConsumer, LeadCaptured>();
        bus.Consume<LeadUpdatedConsumer, LeadUpdated>();
        bus.Consume<LeadsMergedConsumer, LeadsMerged>();
        bus.Consume<LeadErasedConsumer, LeadErased>();
        bus.Consume<SpendRecordedConsumer, SpendRecorded>();
        bus.Consume<LeadQualifiedConsumer, LeadQualified>();
        bus.Consume<LeadDisqualifiedConsumer, LeadDisqualified>();
        bus.Consume<AdvocateGainedConsumer, AdvocateGained>();
        bus.Consume<CustomerChurnedConsumer, CustomerChurned>();
        bus.Consume<RevenueMovedConsumer, RevenueMoved>();
    }

    public static void AddConversion(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<ConversionOptions>().BindConfiguration(ConversionOptions.Section).ValidateDataAnnotations()
            .ValidateOnStart();
        builder.AddRpcClient<LeadService.LeadServiceClient>("capture");
        builder.Services.AddImportJournal();
        builder.Services
            .AddSingleton<ConversionTelemetry>()
            .AddSingleton<JourneySignal>()
            .AddSingleton<EnsureLead>()
            .AddSingleton<MoveLeadStage>()
            .AddSingleton<AnswerHandoff>()
            .AddSingleton<RouteHandoff>()
            .AddSingleton<ManageSalesTeams>()
            .AddSingleton<ManageHandoffSettings>()
            .AddSingleton<WatchHandoffs>()
            .AddSingleton<ReopenOpportunity>()
            .AddSingleton<OpportunityStalls>()
            .AddSingleton<HandoffReports>()
            .AddSingleton<ForecastReports>()
            .AddSingleton<ManageCrm>()
            .AddSingleton<ApplyCrmRecords>()
            .AddSingleton<ReceiveCrmWebhook>()
            .AddSingleton<DeliveryEndpoints>()
            .AddSingleton(provider => new CrmPullClient(WebhookSetup.Client(provider)))
            .AddSingleton<PullCrm>()
            .AddSingleton<ManageAnalyticsExport>()
            .AddSingleton<OfflineConversions>()
            .AddSingleton<OpenOpportunity>()
            .AddSingleton<ChangeOpportunity>()
            .AddSingleton<CloseOpportunity>()
            .AddSingleton<ImportOpportunities>()
            .AddSingleton<ManagePipelines>()
            .AddSingleton<FreezeJourneys>()
            .AddSingleton<StallLimits>()
            .AddSingleton<FunnelReports>()
            .AddSingleton<SourceReports>()
            .AddSingleton<OpportunityReports>()
            .AddSingleton<VelocityReports>()
            .AddSingleton<ReportRows>()
            .AddSingleton<CountDays>()
            .AddSingleton<RebuildReports>()
            .AddSingleton<AttributionSettingsStore>()
            .AddSingleton<AttributionSignal>()
            .AddSingleton<AttributionRuns>()
            .AddSingleton<RunAttribution>()
            .AddSingleton<ConversionMetrics>()
            .AddSingleton<ExportPerson>()
            .AddHostedService<JourneyWorker>()
            .AddHostedService<HandoffWatcher>()
            .AddHostedService<AttributionWorker>()
            .AddHostedService<CrmPuller>()
            .AddHostedService<DayCounter>();
        builder.AddWebhooks(provider => provider.GetRequiredService<DeliveryEndpoints>().All);
    }

    public static void MapConversion(this IEndpointRouteBuilder app)
    {
        app.MapRpcService<StageGrpcService>();
        app.MapRpcService<HandoffGrpcService>();
        app.MapRpcService<SalesTeamGrpcService>();
        app.MapRpcService<SalesReportGrpcService>();
        app.MapRpcService<OpportunityGrpcService>();
        app.MapRpcService<PipelineGrpcService>();
        app.MapRpcService<CrmGrpcService>();
        app.MapRpcService<AnalyticsExportGrpcService>();
        app.ServiceProvider.GetRequiredService<ReceiveCrmWebhook>().Map(app);
        app.ServiceProvider.GetRequiredService<OfflineConversions>().Map(app);
        app.MapRpcService<AttributionGrpcService>();
        app.MapRpcService<ReportGrpcService>();
        app.MapRpcService<MetricsGrpcService>();
        app.MapRpcService<PersonDataGrpcService>();
    }
}
