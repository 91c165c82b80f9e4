using Lifecycle.Contracts;
using Lifecycle.Conversion.V1;
using Lifecycle.Postgres;
using Lifecycle.Retention.Consumers;
using Lifecycle.Retention.Features.AnswerByLink;
using Lifecycle.Retention.Features.AskSurveys;
using Lifecycle.Retention.Features.ExportPerson;
using Lifecycle.Retention.Features.FollowUpSurveys;
using Lifecycle.Retention.Features.ImportRevenue;
using Lifecycle.Retention.Features.KeepLedger;
using Lifecycle.Retention.Features.KeepRates;
using Lifecycle.Retention.Features.KeepRollups;
using Lifecycle.Retention.Features.LearnChurn;
using Lifecycle.Retention.Features.ManageCustomers;
using Lifecycle.Retention.Features.QueryMetrics;
using Lifecycle.Retention.Features.RecordAdvocacy;
using Lifecycle.Retention.Features.ReportCampaigns;
using Lifecycle.Retention.Features.ReportRetention;
using Lifecycle.Retention.Features.RunLoyalty;
using Lifecycle.Retention.Features.ScoreRisk;
using Lifecycle.Retention.Features.SuggestExpansion;
using Lifecycle.Retention.Features.TrackReferrals;
using Lifecycle.Rpc;

namespace Lifecycle.Retention;

/// <summary>What the process is made of.</summary>
internal static class RetentionSetup
{
    public static void Consume(LifecycleBus bus)
    {
        bus.Consume<LeadCapturedConsumer, LeadCaptured>();
        bus.Consume<LeadUpdatedConsumer, LeadUpdated>();
        bus.Consume<LeadErasedConsumer, LeadErased>();
        bus.Consume<LeadsMergedConsumer, LeadsMerged>();
        bus.Consume<RevenueBookedConsumer, RevenueBooked>();
        bus.Consume<OpportunityChangedConsumer, OpportunityChanged>();
        bus.Consume<LeadStageChangedConsumer, LeadStageChanged>();
        bus.Consume<EmailSentConsumer, EmailSent>();
        bus.Consume<EmailEngagedConsumer, EmailEngaged>();
        bus.Consume<ActivitiesRecordedConsumer, ActivitiesRecorded>();
    }

    public static void AddRetention(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<RetentionOptions>()
            .BindConfiguration(RetentionOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddImportJournal();
        builder.Services.AddSingleton<RevenueWriter>();
        builder.Services.AddSingleton<RevenueAnnouncer>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<RevenueAnnouncer>());
        builder.Services.AddSingleton<RollupKeeper>();
        builder.Services.AddHostedService<RollupJob>();
        builder.Services.AddHostedService<RiskJob>();
        builder.Services.AddSingleton<ExpansionEvaluator>();
        builder.Services.AddHostedService<ExpansionJob>();
        builder.AddRpcClient<OpportunityService.OpportunityServiceClient>("conversion");
        builder.Services.AddHostedService<AdvocateJob>();
        builder.Services.AddSingleton<ReferralLinks>();
        builder.Services.AddSingleton<ReferralRedirect>();
        builder.Services.AddSingleton<SurveyLinks>();
        builder.Services.AddSingleton<AnswerPage>();
        builder.Services.AddSingleton<SendInvitations>();
        builder.Services.AddHostedService<SurveyJob>();
    }

    public static void MapRetention(this WebApplication app)
    {
        app.MapRpcService<CustomerGrpcService>();
        app.MapRpcService<SurveyGrpcService>();
        app.MapRpcService<SurveyFollowUpGrpcService>();
        app.MapRpcService<CustomerCampaignGrpcService>();
        app.MapRpcService<AdvocacyGrpcService>();
        app.MapRpcService<AdvocateGrpcService>();
        app.MapRpcService<ReferralLinkGrpcService>();
        app.MapRpcService<LoyaltyGrpcService>();
        app.MapRpcService<ReportGrpcService>();
        app.MapRpcService<CurrencyRateGrpcService>();
        app.MapRpcService<RiskGrpcService>();
        app.MapRpcService<ChurnModelGrpcService>();
        app.MapRpcService<ExpansionGrpcService>();
        app.MapRpcService<RetentionMetricsGrpcService>();
        app.MapRpcService<PersonDataGrpcService>();
        app.Services.GetRequiredService<AnswerPage>().Map(app);
        app.Services.GetRequiredService<ReferralRedirect>().Map(app);
    }
}
