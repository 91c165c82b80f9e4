using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Lifecycle.Conversion.Storage;

/// <summary>Tables of the schema <c>conversion</c>.</summary>
public sealed class ConversionDbContext(DbContextOptions<ConversionDbContext> options) : LifecycleDbContext(options, "conversion")
{
    public DbSet<LeadRow> Leads => Set<LeadRow>();

    public DbSet<StageChangeRow> StageChanges => Set<StageChangeRow>();

    public DbSet<HandoffRow> Handoffs => Set<HandoffRow>();

    public DbSet<HandoffAssignmentRow> HandoffAssignments => Set<HandoffAssignmentRow>();

    public DbSet<SalesTeamRow> SalesTeams => Set<SalesTeamRow>();

    public DbSet<HandoffSettingsRow> HandoffSettings => Set<HandoffSettingsRow>();

    public DbSet<OpportunityChangeRow> OpportunityChanges => Set<OpportunityChangeRow>();

    public DbSet<CrmConnectionRow> CrmConnections => Set<CrmConnectionRow>();

    public DbSet<CrmReceiptRow> CrmReceipts => Set<CrmReceiptRow>();

    public DbSet<AnalyticsExportRow> AnalyticsExports => Set<AnalyticsExportRow>();

    public DbSet<OfflineExportRow> OfflineExports => Set<OfflineExportRow>();

    public DbSet<PipelineRow> Pipelines => Set<PipelineRow>();

    public DbSet<OpportunityRow> Opportunities => Set<OpportunityRow>();

    public DbSet<JourneyRow> Journeys => Set<JourneyRow>();

    public DbSet<SpendRow> Spend => Set<SpendRow>();

    public DbSet<ReturnReasonsRow> ReturnReasons => Set<ReturnReasonsRow>();

    public DbSet<HeldEventRow> HeldEvents => Set<HeldEventRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<Stage>().HaveConversion<StageText>();
        configurationBuilder.Properties<HandoffState>().HaveConversion<HandoffStateText>();
        configurationBuilder.Properties<OpportunityState>().HaveConversion<OpportunityStateText>();
        configurationBuilder.Properties<OpportunityChangeKind>().HaveConversion<OpportunityChangeText>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddImportJournal();
        modelBuilder.Entity<LeadRow>(lead =>
        {
            lead.ToTable("lead").HasKey(row => new { row.WorkspaceId, row.LeadId });
            lead.Ignore(row => row.Position).Ignore(row => row.FirstTouch);
            lead.Property(row => row.Traits).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            lead.Property(row => row.Company).HasColumnType("jsonb");
            // New leads of a period.
            lead.HasIndex(row => new { row.WorkspaceId, row.CreateTime });
            // Imports tie deals to leads by e-mail.
            lead.HasIndex(row => new { row.WorkspaceId, row.Email }).HasFilter("email is not null");
            // Whom a lead swallowed.
            lead.HasIndex(row => new { row.WorkspaceId, row.MergedInto }).HasFilter("merged_into is not null");
        });
        modelBuilder.Entity<StageChangeRow>(change =>
        {
            change.ToTable("stage_change").HasKey(row => new { row.WorkspaceId, row.LeadId, row.Version });
            // Reports ask who moved in a period.
            change.HasIndex(row => new { row.WorkspaceId, row.Time });
        });
        modelBuilder.Entity<HandoffRow>(handoff =>
        {
            handoff.ToTable("handoff").HasKey(row => new { row.WorkspaceId, row.Id });
            handoff.Property(row => row.Reasons).HasColumnType("jsonb");
            // A lead is offered once at a time, whatever races.
            handoff.HasIndex(row => new { row.WorkspaceId, row.LeadId }).IsUnique().HasFilter("state = 'OPEN'")
                .HasDatabaseName("handoff_one_open");
            handoff.HasIndex(row => new { row.WorkspaceId, row.LeadId });
            handoff.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
            // The watch takes those whose deadline has passed untold.
            handoff.HasIndex(row => new { row.WorkspaceId, row.DueTime })
                .HasFilter("state = 'OPEN' and due_time is not null and overdue_time is null")
                .HasDatabaseName("handoff_deadline");
        });
        modelBuilder.Entity<HandoffAssignmentRow>(assignment =>
            assignment.ToTable("handoff_assignment").HasKey(row => new { row.WorkspaceId, row.HandoffId, row.Position }));
        modelBuilder.Entity<SalesTeamRow>(team =>
        {
            team.ToTable("sales_team").HasKey(row => new { row.WorkspaceId, row.Id });
            team.Property(row => row.Members).HasColumnType("jsonb");
        });
        modelBuilder.Entity<HandoffSettingsRow>(settings =>
        {
            settings.ToTable("handoff_settings").HasKey(row => row.WorkspaceId);
            settings.Property(row => row.WorkingHours).HasColumnType("jsonb");
        });
        modelBuilder.Entity<PipelineRow>(pipeline =>
        {
            pipeline.ToTable("pipeline").HasKey(row => new { row.WorkspaceId, row.Id });
            pipeline.Property(row => row.Stages).HasColumnType("jsonb");
            pipeline.HasIndex(row => row.WorkspaceId).IsUnique().HasFilter("is_default").HasDatabaseName("pipeline_one_default");
        });
        modelBuilder.Entity<OpportunityRow>(opportunity =>
        {
            opportunity.ToTable("opportunity").HasKey(row => new { row.WorkspaceId, row.Id });
            // A deal that was taken up again passes its external id on.
            opportunity.HasIndex(row => new { row.WorkspaceId, row.ExternalId }).IsUnique()
                .HasFilter("external_id is not null and reopened_as is null");
            opportunity.Property(row => row.Contacts).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            opportunity.Property(row => row.Lines).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            opportunity.Property(row => row.FieldTimes).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            // Whose contact a person is: asked at a merge and an erasure.
            opportunity.HasIndex(row => row.Contacts).HasMethod("gin").HasOperators("jsonb_path_ops");
            // The forecast reads what is open.
            opportunity.HasIndex(row => row.WorkspaceId).HasFilter("state = 'OPEN'").HasDatabaseName("opportunity_open");
            opportunity.HasIndex(row => new { row.WorkspaceId, row.LeadId }).HasFilter("lead_id is not null");
            opportunity.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
            opportunity.HasIndex(row => new { row.WorkspaceId, row.CloseTime }).HasFilter("close_time is not null");
            opportunity.HasIndex(row => new { row.WorkspaceId, row.PipelineId, row.Stage });
        });
        modelBuilder.AddWebhookDeliveries();
        modelBuilder.Entity<CrmConnectionRow>(connection =>
        {
            connection.ToTable("crm_connection").HasKey(row => new { row.WorkspaceId, row.Id });
            connection.Property(row => row.FieldMap).HasColumnType("jsonb");
            connection.Property(row => row.Inbound).HasColumnType("jsonb");
            connection.Property(row => row.PullMapping).HasColumnType("jsonb");
        });
        modelBuilder.Entity<CrmReceiptRow>(receipt =>
        {
            receipt.ToTable("crm_receipt").HasKey(row => new { row.WorkspaceId, row.ConnectionId, row.WebhookId });
            receipt.HasIndex(row => new { row.WorkspaceId, row.ConnectionId, row.ReceiveTime });
        });
        modelBuilder.Entity<AnalyticsExportRow>(export => export.ToTable("analytics_export").HasKey(row => row.WorkspaceId));
        modelBuilder.Entity<OfflineExportRow>(export =>
        {
            export.ToTable("offline_export").HasKey(row => new { row.WorkspaceId, row.Id });
            export.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
        });
        modelBuilder.Entity<OfflineExportDealRow>(deal =>
        {
            deal.ToTable("offline_export_deal").HasKey(row => new { row.WorkspaceId, row.ExportId, row.OpportunityId });
            // Whether a deal was told before.
            deal.HasIndex(row => new { row.WorkspaceId, row.OpportunityId });
        });
        modelBuilder.Entity<OpportunityChangeRow>(change =>
        {
            change.ToTable("opportunity_change").HasKey(row => new { row.WorkspaceId, row.OpportunityId, row.Version });
            // How long stays were, of those that ended lately.
            change.HasIndex(row => new { row.WorkspaceId, row.PipelineId, row.Time }).HasFilter("stay_seconds is not null");
        });
        modelBuilder.Entity<JourneyRow>(journey =>
        {
            journey.ToTable("journey").HasKey(row => new { row.WorkspaceId, row.OpportunityId });
            journey.Property(row => row.Touches).HasColumnType("jsonb");
            // The worker takes what is due.
            journey.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("due_time is not null");
            journey.HasIndex(row => new { row.WorkspaceId, row.LeadId });
        });
        modelBuilder.Entity<SpendRow>(spend =>
            spend.ToTable("spend").HasKey(row => new { row.WorkspaceId, row.Date, row.Source, row.Medium, row.Campaign, row.Keyword }));
        modelBuilder.Entity<ReturnReasonsRow>(reasons => reasons.ToTable("return_reasons").HasKey(row => row.WorkspaceId));
        modelBuilder.Entity<HeldEventRow>(held =>
        {
            held.ToTable("held_event").HasKey(row => new { row.WorkspaceId, row.EventId });
            held.Property(row => row.Body).HasColumnType("jsonb");
            held.HasIndex(row => new { row.WorkspaceId, row.LeadId });
        });
    }

    private sealed class StageText() : ValueConverter<Stage, string>(stage => stage.Name(), name => StageNames.Parse(name));

    private sealed class HandoffStateText() : ValueConverter<HandoffState, string>(
        state => state.Name(), name => Enum.Parse<HandoffState>(name, true));

    private sealed class OpportunityChangeText() : ValueConverter<OpportunityChangeKind, string>(
        kind => kind.ToString().ToUpperInvariant(), name => Enum.Parse<OpportunityChangeKind>(name, true));

    private sealed class OpportunityStateText()
        : ValueConverter<OpportunityState, string>(state => state.Name(), name => Enum.Parse<OpportunityState>(name, true));
}
