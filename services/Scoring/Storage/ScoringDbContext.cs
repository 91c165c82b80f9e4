using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Scoring.Storage;

/// <summary>Tables of the schema <c>scoring</c>.</summary>
public sealed class ScoringDbContext(DbContextOptions<ScoringDbContext> options) : LifecycleDbContext(options, "scoring")
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<LeadRow>(lead =>
        {
            lead.ToTable("lead").HasKey(row => new { row.WorkspaceId, row.LeadId });
            lead.Property(row => row.Profile).HasColumnType("jsonb");
            lead.Property(row => row.Since).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            lead.Property(row => row.State).HasColumnType("jsonb");
            // New leads of a period.
            lead.HasIndex(row => new { row.WorkspaceId, row.CreateTime });
            // Whose decay is due.
            lead.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("due_time is not null");
            // What Redis has not got yet: mostly empty.
            lead.HasIndex(row => new { row.WorkspaceId, row.LeadId }).HasFilter("live_version < version").HasDatabaseName("ix_lead_stale");
            // Who is still scored by an earlier model.
            lead.HasIndex(row => new { row.WorkspaceId, row.ModelVersion }).HasFilter("state is not null");
        });
        modelBuilder.Entity<ActivityRow>(activity =>
        {
            activity.ToTable("activity").HasKey(row => new { row.WorkspaceId, row.ActivityId });
            activity.Property(row => row.Properties).HasColumnType("jsonb");
            // A lead's history.
            activity.HasIndex(row => new { row.WorkspaceId, row.LeadId, row.Time });
        });
        modelBuilder.Entity<LedgerRow>(ledger =>
        {
            ledger.ToTable("ledger").HasKey(row => new { row.WorkspaceId, row.LeadId, row.RuleId, row.ActivityId });
            ledger.Property(row => row.Category).HasConversion<short>();
            ledger.Property(row => row.Evidence).HasColumnType("jsonb");
            // Who was scored in a period.
            ledger.HasIndex(row => new { row.WorkspaceId, row.Time });
        });
        modelBuilder.Entity<TransitionRow>(transition =>
        {
            transition.ToTable("transition").HasKey(row => new { row.WorkspaceId, row.TransitionId });
            transition.Property(row => row.Reasons).HasColumnType("jsonb");
            transition.HasIndex(row => new { row.WorkspaceId, row.LeadId });
            // Who qualified in a period.
            transition.HasIndex(row => new { row.WorkspaceId, row.Time }).HasFilter("qualified");
        });
        modelBuilder.Entity<OutcomeRow>(outcome =>
        {
            outcome.ToTable("outcome").HasKey(row => new { row.WorkspaceId, row.LeadId });
            outcome.Property(row => row.Profile).HasColumnType("jsonb");
        });
        modelBuilder.Entity<PredictionModelRow>(model =>
        {
            model.ToTable("prediction_model").HasKey(row => new { row.WorkspaceId, row.Version });
            model.Property(row => row.Definition).HasColumnType("jsonb");
        });
        modelBuilder.Entity<ModelRow>(model =>
        {
            model.ToTable("model").HasKey(row => new { row.WorkspaceId, row.Version });
            model.Property(row => row.Definition).HasColumnType("jsonb");
        });
    }
}
