using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Nurture.Storage;

/// <summary>Schema <c>nurture</c>. Keys lead with the workspace, so that the tables can be distributed by it.</summary>
public sealed class NurtureDbContext(DbContextOptions<NurtureDbContext> options) : LifecycleDbContext(options, "nurture")
{
    public DbSet<LeadRow> Leads => Set<LeadRow>();

    public DbSet<SegmentRow> Segments => Set<SegmentRow>();

    public DbSet<ProgramRow> Programs => Set<ProgramRow>();

    public DbSet<EmailRow> Emails => Set<EmailRow>();

    public DbSet<SuppressionRow> Suppressions => Set<SuppressionRow>();

    public DbSet<MailSettingsRow> MailSettings => Set<MailSettingsRow>();

    public DbSet<DkimKeyRow> DkimKeys => Set<DkimKeyRow>();

    public DbSet<MqlRow> Mqls => Set<MqlRow>();

    public DbSet<RecyclingRow> Recyclings => Set<RecyclingRow>();

    public DbSet<ProgramCallRow> ProgramCalls => Set<ProgramCallRow>();

    public DbSet<NotifyEndpointRow> NotifyEndpoints => Set<NotifyEndpointRow>();

    public DbSet<SendingPolicyRow> SendingPolicies => Set<SendingPolicyRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        MapLeads(modelBuilder);
        MapSegments(modelBuilder);
        MapPrograms(modelBuilder);
        MapProgramEffects(modelBuilder);
        MapMail(modelBuilder);
        modelBuilder.AddImportJournal();
    }

    private static void MapLeads(ModelBuilder model)
    {
        model.Entity<LeadRow>(lead =>
        {
            lead.ToTable("lead").HasKey(row => new { row.WorkspaceId, row.LeadId });
            lead.Property(row => row.Traits).HasColumnType("jsonb");
            lead.Property(row => row.Company).HasColumnType("jsonb");
            lead.Property(row => row.LastTouch).HasColumnType("jsonb");
            // New leads of a period.
            lead.HasIndex(row => new { row.WorkspaceId, row.CreateTime }).HasFilter("merged_into is null");
            // Members of lists are named by their address or the sender's id.
            lead.HasIndex(row => new { row.WorkspaceId, row.Email }).HasFilter("email is not null");
            lead.HasIndex(row => new { row.WorkspaceId, row.ExternalId }).HasFilter("external_id is not null");
            // Leads that were merged into one.
            lead.HasIndex(row => new { row.WorkspaceId, row.MergedInto }).HasFilter("merged_into is not null");
        });
        model.Entity<ScoreChangeRow>(change =>
        {
            // The score at an instant is one search.
            change.ToTable("score_change").HasKey(row => new { row.WorkspaceId, row.LeadId, row.Time, row.Version });
            change.HasIndex(row => row.Time).HasMethod("brin");
        });
        model.Entity<MqlRow>(mql =>
        {
            mql.ToTable("mql").HasKey(row => new { row.WorkspaceId, row.Id });
            mql.HasIndex(row => new { row.WorkspaceId, row.Time });
            mql.HasIndex(row => new { row.WorkspaceId, row.LeadId });
        });
        model.Entity<RecyclingRow>(recycling =>
        {
            recycling.ToTable("recycling").HasKey(row => new { row.WorkspaceId, row.Id });
            recycling.HasIndex(row => new { row.WorkspaceId, row.LeadId });
            recycling.HasIndex(row => new { row.WorkspaceId, row.ReopenTime });
        });
        model.Entity<SpendRow>(spend =>
            spend.ToTable("spend").HasKey(row => new { row.WorkspaceId, row.Date, row.Source, row.Medium, row.Campaign, row.Keyword }));
    }

    private static void MapSegments(ModelBuilder model)
    {
        model.Entity<SegmentRow>(segment =>
        {
            segment.ToTable("segment").HasKey(row => new { row.WorkspaceId, row.Id });
            // The worker asks for segments to judge.
            segment.HasIndex(row => row.WorkspaceId).HasFilter("evaluated_version < version");
        });
        model.Entity<SegmentMemberRow>(member =>
        {
            member.ToTable("segment_member").HasKey(row => new { row.WorkspaceId, row.SegmentId, row.LeadId });
            member.HasIndex(row => new { row.WorkspaceId, row.LeadId });
            member.HasIndex(row => new { row.WorkspaceId, row.SegmentId, row.EnterTime, row.LeadId });
        });
        model.Entity<SegmentRevisionRow>(revision => revision.ToTable("segment_revision").HasKey(row => row.WorkspaceId));
        model.Entity<SegmentTimerRow>(timer =>
        {
            timer.ToTable("segment_timer").HasKey(row => new { row.WorkspaceId, row.SegmentId, row.LeadId });
            // The queue of timers: a worker reads its head and nothing else.
            timer.HasIndex(row => new { row.WorkspaceId, row.DueTime });
            // A person's timers, when it is merged or erased.
            timer.HasIndex(row => new { row.WorkspaceId, row.LeadId });
        });
        model.Entity<ActivityRow>(activity =>
        {
            // A lead's history lies together; an activity counts once.
            activity.ToTable("activity").HasKey(row => new { row.WorkspaceId, row.LeadId, row.Id });
            activity.Property(row => row.Properties).HasColumnType("jsonb");
            // What is too old is found by blocks: activities come nearly in order of time.
            activity.HasIndex(row => row.Time).HasMethod("brin");
        });
    }

    private static void MapPrograms(ModelBuilder model)
    {
        model.Entity<ProgramRow>(program =>
        {
            program.ToTable("program").HasKey(row => new { row.WorkspaceId, row.Id });
            program.Property(row => row.Path).HasColumnType("jsonb");
        });
        model.Entity<ProgramVersionRow>(version =>
        {
            version.ToTable("program_version").HasKey(row => new { row.WorkspaceId, row.ProgramId, row.Version });
            version.Property(row => row.Path).HasColumnType("jsonb");
        });
        model.Entity<EnrollmentRow>(enrollment =>
        {
            enrollment.ToTable("enrollment").HasKey(row => new { row.WorkspaceId, row.Id });
            enrollment.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.LeadId, row.Occurrence }).IsUnique();
            enrollment.Property(row => row.Key).HasDefaultValue("");
            // Exits and events look for a lead's running enrollments; nobody runs twice in one program with one key.
            enrollment.HasIndex(row => new { row.WorkspaceId, row.LeadId, row.ProgramId, row.Key }).IsUnique()
                .HasFilter("state = 'ACTIVE'");
            // The queue of timers: a worker reads its head and nothing else.
            enrollment.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("state = 'ACTIVE' and not held");
            enrollment.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.EnterTime });
            // The report of stalls names those whose step fails; there are few.
            enrollment.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.StepId })
                .HasFilter("state = 'ACTIVE' and fault is not null");
            // Control groups: since when a program has one, and who is in it, among millions that are not.
            enrollment.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.EnterTime }, "ix_enrollment_held_out")
                .HasFilter("state = 'HELD_OUT'");
        });
        model.Entity<StallRow>(stall =>
        {
            stall.ToTable("stall").HasKey(row => new { row.WorkspaceId, row.Id });
            // However many watchdogs look, an enrollment stands still once.
            stall.HasIndex(row => new { row.WorkspaceId, row.EnrollmentId }).IsUnique().HasFilter("end_time is null");
            stall.HasIndex(row => new { row.WorkspaceId, row.EndTime });
        });
        model.Entity<PendingEntryRow>(entry =>
            entry.ToTable("pending_entry").HasKey(row => new { row.WorkspaceId, row.LeadId, row.ProgramId, row.Key }));
        model.Entity<StepVisitRow>(visit =>
        {
            visit.ToTable("step_visit").HasKey(row => new { row.WorkspaceId, row.EnrollmentId, row.StepId, row.Visit });
            visit.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.StepId });
        });
    }

    private static void MapProgramEffects(ModelBuilder model)
    {
        model.Entity<ProgramCallRow>(call =>
        {
            call.ToTable("program_call").HasKey(row => new { row.WorkspaceId, row.Id });
            // The queue of the callers.
            call.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("state = 'PENDING'");
            // An erasure and a merge ask for a lead's.
            call.HasIndex(row => new { row.WorkspaceId, row.LeadId });
        });
        model.Entity<NotifyEndpointRow>(endpoint => endpoint.ToTable("notify_endpoint").HasKey(row => new { row.WorkspaceId, row.Id }));
        model.Entity<SendingPolicyRow>(policy =>
        {
            policy.ToTable("sending_policy").HasKey(row => row.WorkspaceId);
            policy.Property(row => row.Policy).HasColumnType("jsonb");
        });
        model.AddWebhookDeliveries();
    }

    private static void MapMail(ModelBuilder model)
    {
        model.Entity<EmailRow>(email => email.ToTable("email").HasKey(row => new { row.WorkspaceId, row.Id }));
        model.Entity<MessageRow>(message =>
        {
            message.ToTable("message").HasKey(row => new { row.WorkspaceId, row.Id });
            message.Property(row => row.Links).HasDefaultValueSql("'{}'");
            message.HasIndex(row => new { row.WorkspaceId, row.EnrollmentId, row.StepId, row.Visit }).IsUnique();
            message.HasIndex(row => new { row.WorkspaceId, row.LeadId, row.ExternalId }).IsUnique().HasFilter("external_id is not null");
            message.Property(row => row.Content).HasColumnType("jsonb");
            // A mail that another service asked for is made once.
            message.HasIndex(row => new { row.WorkspaceId, row.RequestId }).IsUnique().HasFilter("request_id is not null");
            // The queue of the senders.
            message.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("state in ('PENDING', 'SENDING')");
            message.HasIndex(row => new { row.WorkspaceId, row.LeadId, row.CreateTime });
            message.HasIndex(row => new { row.WorkspaceId, row.SendTime });
            message.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.StepId });
        });
        model.Entity<EngagementRow>(engagement =>
        {
            engagement.ToTable("engagement").HasKey(row => new { row.WorkspaceId, row.Id });
            engagement.HasIndex(row => new { row.WorkspaceId, row.MessageId });
            engagement.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("due_time is not null");
        });
        model.Entity<MailSettingsRow>(settings =>
        {
            settings.ToTable("mail_settings").HasKey(row => row.WorkspaceId);
            settings.Property(row => row.DomainLimits).HasColumnType("jsonb");
        });
        model.Entity<DkimKeyRow>(key =>
        {
            key.ToTable("dkim_key").HasKey(row => new { row.WorkspaceId, row.Id });
            key.HasIndex(row => new { row.WorkspaceId, row.Domain, row.Selector }).IsUnique();
        });
        model.Entity<DomainPaceRow>(pace => pace.ToTable("domain_pace").HasKey(row => new { row.WorkspaceId, row.Domain }));
        model.Entity<SuppressionRow>(suppression =>
        {
            suppression.ToTable("suppression").HasKey(row => new { row.WorkspaceId, row.Id });
            suppression.HasIndex(row => new { row.WorkspaceId, row.EmailHash }).IsUnique();
        });
    }
}
