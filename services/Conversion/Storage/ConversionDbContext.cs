using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Lifecycle.Conversion.Storage;

/// <summary>Tables of the schema <c>conversion</c>.</summary>
public sealed class ConversionDbContext(DbContextOptions<ConversionDbContext> options) : LifecycleDbContext(options, "conversion")
{
    public DbSet<LeadRow> Leads => Set<LeadRow>();

    public DbSet<StageChangeRow> StageChanges => Set<StageChangeRow>();

    public DbSet<HandoffRow> Handoffs => Set<HandoffRow>();

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
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<LeadRow>(lead =>
        {
            lead.ToTable("lead").HasKey(row => new { row.WorkspaceId, row.LeadId });
            lead.Ignore(row => row.Position).Ignore(row => row.FirstTouch);
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
            handoff.HasIndex(row => new { row.WorkspaceId, row.LeadId }).IsUnique().HasFilter("state = 'OPEN'").HasDatabaseName("handoff_one_open");
            handoff.HasIndex(row => new { row.WorkspaceId, row.LeadId });
            handoff.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
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
            opportunity.HasIndex(row => new { row.WorkspaceId, row.ExternalId }).IsUnique().HasFilter("external_id is not null");
            opportunity.HasIndex(row => new { row.WorkspaceId, row.LeadId }).HasFilter("lead_id is not null");
            opportunity.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
            opportunity.HasIndex(row => new { row.WorkspaceId, row.CloseTime }).HasFilter("close_time is not null");
            opportunity.HasIndex(row => new { row.WorkspaceId, row.PipelineId, row.Stage });
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

    private sealed class OpportunityStateText()
        : ValueConverter<OpportunityState, string>(state => state.Name(), name => Enum.Parse<OpportunityState>(name, true));
}
