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
            // Who is still scored by earlier models.
            lead.HasIndex(row => new { row.WorkspaceId, row.Generation }).HasFilter("state is not null");
            // Whose points begin or end.
            lead.HasIndex(row => new { row.WorkspaceId, row.NextTime }).HasFilter("next_time is not null");
            // A company's leads.
            lead.HasIndex(row => new { row.WorkspaceId, row.CompanyKey }).HasFilter("company_key is not null");
            // What Redis has not got yet, and a watch missed.
            lead.HasIndex(row => new { row.WorkspaceId, row.ChangeXid });
            lead.Ignore(row => row.StoredVersion).Ignore(row => row.WriteXid).Ignore(row => row.LockXid);
            lead.Property(row => row.Generation).HasDefaultValue(0);
            lead.Property(row => row.Adjustments).HasDefaultValue(0);
            lead.Property(row => row.ChangeXid).HasDefaultValue(0L);
        });
        modelBuilder.Entity<ScoreRow>(score =>
        {
            score.ToTable("score").HasKey(row => new { row.WorkspaceId, row.ScoreName, row.LeadId });
            score.Property(row => row.State).HasColumnType("jsonb");
            score.HasIndex(row => new { row.WorkspaceId, row.LeadId });
            score.HasIndex(row => new { row.WorkspaceId, row.NextTime }).HasFilter("next_time is not null");
            score.HasIndex(row => new { row.WorkspaceId, row.ScoreName, row.ChangeXid });
        });
        modelBuilder.Entity<AdjustmentRow>(adjustment =>
        {
            adjustment.ToTable("adjustment").HasKey(row => new { row.WorkspaceId, row.AdjustmentId });
            adjustment.Property(row => row.Category).HasConversion<short>();
            adjustment.HasIndex(row => new { row.WorkspaceId, row.LeadId });
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
            ledger.ToTable("ledger")
                .HasKey(row => new { row.WorkspaceId, row.LeadId, row.ScoreName, row.RuleId, row.ActivityId, row.Time });
            ledger.Property(row => row.ScoreName).HasDefaultValue(ModelStore.DefaultScore);
            ledger.Property(row => row.Floor).HasDefaultValue(0m);
            ledger.Property(row => row.Category).HasConversion<short>();
            ledger.Property(row => row.Evidence).HasColumnType("jsonb");
            // Who was scored in a period.
            ledger.HasIndex(row => new { row.WorkspaceId, row.Time });
        });
        modelBuilder.Entity<TransitionRow>(transition =>
        {
            transition.ToTable("transition").HasKey(row => new { row.WorkspaceId, row.TransitionId });
            transition.Property(row => row.Reasons).HasColumnType("jsonb");
            transition.Property(row => row.Recent).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            transition.Property(row => row.Changes).HasColumnType("jsonb").HasDefaultValueSql("'[]'");
            transition.Property(row => row.Hot).HasDefaultValue(false);
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
            model.ToTable("model").HasKey(row => new { row.WorkspaceId, row.ScoreName, row.Version });
            model.Property(row => row.ScoreName).HasDefaultValue(ModelStore.DefaultScore);
            model.Property(row => row.Removed).HasDefaultValue(false);
            model.Property(row => row.Definition).HasColumnType("jsonb");
        });
    }
}
