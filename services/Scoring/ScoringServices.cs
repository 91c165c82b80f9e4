using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Consumers;
using Lifecycle.Scoring.Features.ActivityEffect;
using Lifecycle.Scoring.Features.AdjustScore;
using Lifecycle.Scoring.Features.ExplainScore;
using Lifecycle.Scoring.Features.ExportPerson;
using Lifecycle.Scoring.Features.LearnModel;
using Lifecycle.Scoring.Features.ListQualifications;
using Lifecycle.Scoring.Features.ManageModel;
using Lifecycle.Scoring.Features.QueryMetrics;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Features.RebuildScores;
using Lifecycle.Scoring.Features.ScoreAccounts;
using Lifecycle.Scoring.Features.SimulateModel;
using Lifecycle.Scoring.Features.WatchScores;
using Lifecycle.Scoring.Jobs;
using Lifecycle.Scoring.Live;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lifecycle.Scoring;

/// <summary>What the service is made of.</summary>
internal static class ScoringServices
{
    /// <summary>Messages that may meet in one transaction, and most activities in it.</summary>
    private const int GatheredMessages = 64;
    private const int GatheredActivities = 2_000;

    /// <summary>One transaction waits for Postgres while another computes.</summary>
    private const int ConcurrentGatherings = 2;

    public static void AddScoring(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ScoringOptions>().BindConfiguration(ScoringOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ScoringTelemetry>().AddSingleton<ModelStore>().AddSingleton<ProgressMemory>().AddSingleton<ScoreKeeper>();
        services.AddSingleton(new EventGatherer<ActivitiesRecorded>(GatheredActivities, ConcurrentGatherings))
            .AddSingleton(new EventGatherer<EmailEngaged>(GatheredActivities, ConcurrentGatherings));
        services.AddSingleton<ScoreSettler>().AddSingleton<ScoreAdjuster>()
            .AddSingleton<QualificationReader>().AddSingleton<AccountScorer>();
        services.AddSingleton<RedisConnection>().AddSingleton<LiveScores>().AddSingleton<LiveProjector>().AddSingleton<ScoreFeed>();
        services.AddSingleton<ScoreReader>().AddSingleton<ScoreExplainer>().AddSingleton<ScoreWatcher>().AddSingleton<ModelManager>();
        services.AddSingleton<ModelSimulator>().AddSingleton<ScoreRebuilder>().AddSingleton<ScoringMetrics>()
            .AddSingleton<PersonExporter>();
        services.AddSingleton<ScoringGrpcService>().AddSingleton<SimulationGrpcService>();
        services.AddSingleton<RescoringProgress>().AddSingleton<PredictionLearner>()
            .AddSingleton<ConversionPredictor>().AddSingleton<ActivityEffectReport>();
        services.AddSingleton<PredictionGrpcService>().AddSingleton<ScoringReportGrpcService>();
        services.AddSingleton<ScoringMetricsService>().AddSingleton<ScoringPersonDataService>();
        // The projector subscribes to the connection before it is opened.
        services.AddHostedService(provider => provider.GetRequiredService<LiveProjector>());
        services.AddHostedService(provider => provider.GetRequiredService<RedisConnection>());
        services.AddSingleton<WorkspaceAgenda>().AddSingleton<RescoreJob>().AddSingleton<TimedScoreJob>().AddSingleton<DecayJob>()
            .AddSingleton<JobScheduler>();
        services.AddHostedService<AnnouncementListener>().AddHostedService(provider => provider.GetRequiredService<JobScheduler>());
        services.AddHealthChecks().Add(
            new("redis", provider => provider.GetRequiredService<RedisConnection>(), HealthStatus.Degraded, ["ready"]));
    }

    public static void ConsumeScoring(this LifecycleBus bus)
    {
        bus.Consume<LeadCapturedConsumer, LeadCaptured>();
        bus.Consume<LeadUpdatedConsumer, LeadUpdated>();
        bus.Consume<ActivitiesRecordedConsumer, ActivitiesRecorded>(GatheredMessages);
        bus.Consume<EmailEngagedConsumer, EmailEngaged>(GatheredMessages);
        bus.Consume<LeadStageChangedConsumer, LeadStageChanged>();
        bus.Consume<LeadsMergedConsumer, LeadsMerged>();
        bus.Consume<LeadErasedConsumer, LeadErased>();
    }

    public static void MapScoring(this IEndpointRouteBuilder app)
    {
        app.MapRpcService<ScoringGrpcService>();
        app.MapRpcService<SimulationGrpcService>();
        app.MapRpcService<PredictionGrpcService>();
        app.MapRpcService<ScoringReportGrpcService>();
        app.MapRpcService<ScoringMetricsService>();
        app.MapRpcService<ScoringPersonDataService>();
    }
}
