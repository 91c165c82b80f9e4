using Lifecycle.Capture.V1;
using Lifecycle.Contracts;
using Lifecycle.Conversion.V1;
using Lifecycle.Nurture.Consumers;
using Lifecycle.Nurture.Features.AdvanceEnrollments;
using Lifecycle.Nurture.Features.CallServices;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.ExportPerson;
using Lifecycle.Nurture.Features.ImportEnrollments;
using Lifecycle.Nurture.Features.JudgeEngagements;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Features.LintEmail;
using Lifecycle.Nurture.Features.ManageEmails;
using Lifecycle.Nurture.Features.ManageMailSettings;
using Lifecycle.Nurture.Features.ManageNotifyEndpoints;
using Lifecycle.Nurture.Features.ManagePrograms;
using Lifecycle.Nurture.Features.ManageSegments;
using Lifecycle.Nurture.Features.ManageSendingPolicy;
using Lifecycle.Nurture.Features.ManageSuppressions;
using Lifecycle.Nurture.Features.QueryMetrics;
using Lifecycle.Nurture.Features.RecordHits;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Features.ReportNurture;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Features.TakeFeedback;
using Lifecycle.Nurture.Features.WatchStalls;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Mail;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture;

/// <summary>The parts of the service.</summary>
internal static class NurtureSetup
{
    /// <summary>
    /// Messages of a queue that may meet in one transaction, more of those that tell of one lead each; what they may weigh together, and
    /// such transactions of a workspace at a time. The more meet, the fewer events tell of the segments that they move leads in.
    /// </summary>
    private const int GatheredMessages = 64;
    private const int GatheredLeads = 256;
    private const int GatheredWeight = 1_000;
    private const int ConcurrentGatherings = 2;

    public static void Subscribe(LifecycleBus bus)
    {
        bus.Consume<LeadCapturedConsumer, LeadCaptured>(GatheredLeads);
        bus.Consume<LeadUpdatedConsumer, LeadUpdated>(GatheredLeads);
        bus.Consume<LeadScoreChangedConsumer, LeadScoreChanged>(GatheredLeads);
        bus.Consume<LeadStageChangedConsumer, LeadStageChanged>();
        bus.Consume<LeadReturnedConsumer, LeadReturned>();
        bus.Consume<LeadsMergedConsumer, LeadsMerged>();
        bus.Consume<LeadErasedConsumer, LeadErased>();
        bus.Consume<ActivitiesRecordedConsumer, ActivitiesRecorded>(GatheredMessages);
        bus.Consume<SessionStartedConsumer, SessionStarted>();
        bus.Consume<SpendRecordedConsumer, SpendRecorded>();
        bus.Consume<EmailRequestedConsumer, EmailRequested>();
    }

    public static void AddNurture(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<NurtureOptions>().BindConfiguration(NurtureOptions.Section).ValidateDataAnnotations()
            .Validate(
                options => options.SendLeaseSeconds > options.SmtpTimeoutSeconds,
                "Nurture:SendLeaseSeconds must be longer than Nurture:SmtpTimeoutSeconds, or two workers could send the same mail.")
            .ValidateOnStart();
        var address = SmtpAddress.Parse(builder.Configuration.GetConnectionString("mail"));
        services.AddSingleton(address.TryGet(out var smtp, out var error) ? smtp : throw new InvalidOperationException(error.Message));
        services.AddSingleton<MailTransport>();
        services.AddOptions<SecretBoxOptions>().BindConfiguration(SecretBoxOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<SecretBox>();
        services.AddSingleton<MailRoutes>();
        services.AddSingleton<LintEmailHandler>();
        services.AddSingleton<MailSettingsHandler>();
        services.AddSingleton<NurtureTelemetry>();
        services.AddSingleton<WorkSignal>();
        services.AddSingleton<ProgramStore>();
        services.AddSingleton<SegmentStore>();
        services.AddSingleton<EnrollLeadHandler>();
        services.AddSingleton<EmailWaits>();
        services.AddSingleton<EndEnrollments>();
        services.AddSingleton<EnrollmentHandler>();
        services.AddSingleton<BatchEnrollHandler>();
        services.AddSingleton<CaptureLeadsHandler>();
        services.AddSingleton<ImportEnrollmentsHandler>();
        services.AddSingleton<TryProgramHandler>();
        services.AddSingleton<JudgeLeadHandler>();
        services.AddSingleton(new EventGatherer<LeadCaptured>(GatheredWeight, ConcurrentGatherings))
            .AddSingleton(new EventGatherer<LeadUpdated>(GatheredWeight, ConcurrentGatherings))
            .AddSingleton(new EventGatherer<LeadScoreChanged>(GatheredWeight, ConcurrentGatherings))
            .AddSingleton(new EventGatherer<ActivitiesRecorded>(GatheredWeight, ConcurrentGatherings));
        services.AddSingleton<ChangeListHandler>();
        services.AddSingleton<PreviewSegmentHandler>();
        services.AddSingleton<ImportMembersHandler>();
        services.AddImportJournal();
        services.AddSingleton<RecordExternalHandler>();
        services.AddSingleton<MailRenderer>();
        services.AddSingleton<MailLinks>();
        services.AddSingleton<SendTestEmailHandler>();
        services.AddSingleton<ClaimMailsHandler>();
        services.AddSingleton<MarkMailsHandler>();
        services.AddSingleton<RecordHitHandler>();
        services.AddSingleton<UnsubscribeHandler>();
        services.AddSingleton<QueryMetricsHandler>();
        services.AddSingleton<ExportPersonHandler>();
        services.AddSingleton<AdvanceEnrollmentsHandler>();
        services.AddSingleton<ITimerWork>(provider => provider.GetRequiredService<AdvanceEnrollmentsHandler>());
        services.AddSingleton<ITimerWork, JudgeEngagementsHandler>();
        services.AddSingleton<ITimerWork, JudgeTimersHandler>();
        services.AddSingleton<ITimerWork, JudgeSegmentsHandler>();
        services.AddSingleton<ITimerWork, PurgeActivities>();
        services.AddSingleton<IMailWork, SendMailsHandler>();
        services.AddSingleton<IWatchWork, WatchStallsHandler>();
        services.AddWorker<ITimerWork>();
        services.AddWorker<IWatchWork>();
        services.AddWorker<IMailWork>();
        builder.AddProgramEffects();
    }

    public static void MapNurture(this WebApplication app)
    {
        app.MapRpcService<SegmentGrpcService>();
        app.MapRpcService<ProgramGrpcService>();
        app.MapRpcService<NotifyEndpointGrpcService>();
        app.MapRpcService<SendingPolicyGrpcService>();
        app.MapRpcService<EmailGrpcService>();
        app.MapRpcService<SuppressionGrpcService>();
        app.MapRpcService<MailSettingsGrpcService>();
        app.MapRpcService<MailFeedbackGrpcService>();
        app.MapRpcService<NurtureReportGrpcService>();
        app.MapRpcService<MetricsGrpcService>();
        app.MapRpcService<PersonDataGrpcService>();
        app.MapMailEndpoints();
    }

    /// <summary>What steps of programs do outside of this service.</summary>
    private static void AddProgramEffects(this WebApplicationBuilder builder)
    {
        builder.AddRpcClient<LeadService.LeadServiceClient>("capture");
        builder.AddRpcClient<StageService.StageServiceClient>("conversion");
        builder.Services.AddSingleton<ICallWork, CallServicesHandler>();
        builder.Services.AddWorker<ICallWork>();
        builder.Services.AddSingleton<NotifyEndpoints>();
        builder.AddWebhooks(provider => provider.GetRequiredService<NotifyEndpoints>().All);
    }

    private static void AddWorker<TWork>(this IServiceCollection services)
        where TWork : IDueWork =>
        services.AddHostedService(provider => new DueWorker<TWork>(
            [.. provider.GetServices<TWork>()],
            provider.GetRequiredService<UnitOfWork<Storage.NurtureDbContext>>(),
            provider.GetRequiredService<WorkSignal>(),
            provider.GetRequiredService<IOptions<NurtureOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<DueWorker<TWork>>>()));
}
