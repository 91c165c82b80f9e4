using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Capture.Storage;

/// <summary>
/// Model of the schema <c>capture</c>. It makes the migrations; reading and writing is hand-written SQL in the stores, beside the indexes
/// named here.
/// </summary>
public sealed class CaptureDbContext(DbContextOptions<CaptureDbContext> options) : LifecycleDbContext(options, "capture")
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<LeadRow>(lead =>
        {
            lead.ToTable("lead");
            lead.HasKey(row => new { row.WorkspaceId, row.Id });
            foreach (var json in new[]
            {
                nameof(LeadRow.Profile), nameof(LeadRow.Own), nameof(LeadRow.Observed), nameof(LeadRow.ToldTouch),
                nameof(LeadRow.FirstTouch), nameof(LeadRow.LastTouch)
            })
            {
                lead.Property(json).HasColumnType("jsonb");
            }

            lead.Property(row => row.Observed).HasDefaultValueSql("'{}'");
            // Lists newest first, and metrics by create time.
            lead.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
            lead.HasIndex(row => new { row.WorkspaceId, row.Email, row.Id });
            // Lists filtered by one value, newest first: a rare value is found at once, a frequent one fills the page from the index's end.
            lead.HasIndex(row => new { row.WorkspaceId, row.Stage, row.CreateTime, row.Id });
            lead.HasIndex(row => new { row.WorkspaceId, row.CaptureType, row.CreateTime, row.Id });
            lead.HasIndex(row => new { row.WorkspaceId, row.Channel, row.CreateTime, row.Id });
            lead.HasIndex(row => new { row.WorkspaceId, row.FormType, row.CreateTime, row.Id }).HasFilter("form_type is not null");
            lead.HasIndex(row => new { row.WorkspaceId, row.Source, row.CreateTime, row.Id }).HasFilter("source is not null");
            lead.HasIndex(row => new { row.WorkspaceId, row.Medium, row.CreateTime, row.Id }).HasFilter("medium is not null");
            lead.HasIndex(row => new { row.WorkspaceId, row.Campaign, row.CreateTime, row.Id }).HasFilter("campaign is not null");
            lead.HasIndex(row => new { row.WorkspaceId, row.Keyword, row.CreateTime, row.Id }).HasFilter("keyword is not null");
            lead.HasIndex(row => new { row.WorkspaceId, row.ExternalId }).HasFilter("external_id <> ''");
        });
        modelBuilder.Entity<LeadIdentityRow>(identity =>
        {
            identity.ToTable("lead_identity");
            identity.HasKey(row => new { row.WorkspaceId, row.Kind, row.Value });
            // Merge and erasure go through a lead's keys.
            identity.HasIndex(row => new { row.WorkspaceId, row.LeadId });
        });
        modelBuilder.Entity<LeadRedirectRow>(redirect =>
        {
            redirect.ToTable("lead_redirect");
            redirect.HasKey(row => new { row.WorkspaceId, row.SourceId });
            // A merge shortens the redirects that led to its source.
            redirect.HasIndex(row => new { row.WorkspaceId, row.TargetId });
        });
        modelBuilder.Entity<TrackingSettingsRow>(tracking =>
        {
            tracking.ToTable("tracking_settings");
            tracking.HasKey(row => row.WorkspaceId);
            tracking.Property(row => row.Settings).HasColumnType("jsonb");
        });
        modelBuilder.Entity<VisitorRow>(visitor =>
        {
            visitor.ToTable("visitor");
            visitor.HasKey(row => new { row.WorkspaceId, row.Id });
            visitor.HasIndex(row => new { row.WorkspaceId, row.AnonymousId }).IsUnique();
            visitor.HasIndex(row => new { row.WorkspaceId, row.LeadId }).HasFilter("lead_id is not null");
            // For data retention: anonymous visitors from the oldest on. By id, for an index with the latest activity would have to be
            // written at each.
            visitor.HasIndex(row => new { row.WorkspaceId, row.Id })
                .HasFilter("lead_id is null and anonymous_id !~ '^(expired|erased):'");
        });
        modelBuilder.Entity<SessionRow>(session =>
        {
            session.ToTable("session");
            session.HasKey(row => new { row.WorkspaceId, row.Id });
            // The session a late message falls into.
            session.HasIndex(row => new { row.VisitorId, row.StartTime });
            // A lead's journey, and its first and last touch.
            session.HasIndex(row => new { row.LeadId, row.StartTime }).HasFilter("lead_id is not null");
            // Metrics by session start.
            session.HasIndex(row => new { row.WorkspaceId, row.StartTime });
        });
        modelBuilder.Entity<ActivityRow>(activity =>
        {
            activity.ToTable("activity");
            activity.HasKey(row => new { row.WorkspaceId, row.Id });
            activity.Property(row => row.Properties).HasColumnType("jsonb");
            // A visitor's history, to cut it into sessions anew. Ids are unique everywhere: the workspace would cost 16 bytes a row and
            // find nothing more. Without the time all entries of a visitor share one key; ids leave out the months before.
            activity.HasIndex(row => row.VisitorId);
            activity.HasIndex(row => new { row.LeadId, row.Time }).HasFilter("lead_id is not null");
            // What a person did elsewhere before becoming known.
            activity.HasIndex(row => new { row.WorkspaceId, row.IdentityKind, row.IdentityValue }).HasFilter("identity_value is not null");
        });
        modelBuilder.Entity<MessageRow>(message =>
        {
            message.ToTable("message");
            message.HasKey(row => new { row.WorkspaceId, row.Key });
            // For the cleaner.
            message.HasIndex(row => new { row.WorkspaceId, row.ReceivedAt });
        });
        modelBuilder.Entity<HitCountRow>(hits =>
        {
            hits.ToTable("hit_count");
            hits.HasKey(row => new { row.WorkspaceId, row.Bucket, row.Kind, row.Detail });
        });
        modelBuilder.Entity<MetricRollupRow>(rollup =>
        {
            rollup.ToTable("metric_rollup");
            rollup.HasKey(row => new { row.WorkspaceId, row.Granularity, row.Dimension, row.Start, row.Value });
        });
        modelBuilder.Entity<MetricChangeRow>(change =>
        {
            change.ToTable("metric_change");
            change.HasKey(row => new { row.WorkspaceId, row.Id });
        });
        modelBuilder.Entity<RollupStateRow>(state =>
        {
            state.ToTable("rollup_state");
            state.HasKey(row => row.WorkspaceId);
        });
        modelBuilder.Entity<DataRetentionRow>(retention =>
        {
            retention.ToTable("data_retention");
            retention.HasKey(row => row.WorkspaceId);
        });
        modelBuilder.AddImportJournal();
        modelBuilder.Entity<ImportAnnouncementRow>(announcement =>
        {
            announcement.ToTable("import_announcement");
            announcement.HasKey(row => new { row.WorkspaceId, row.Id });
        });
        modelBuilder.Entity<ErasureRow>(erasure =>
        {
            erasure.ToTable("erasure");
            erasure.HasKey(row => new { row.WorkspaceId, row.LeadId });
            // Those that wait for a service.
            erasure.HasIndex(row => new { row.WorkspaceId, row.AskTime }).HasFilter("ask_time is not null");
        });
        modelBuilder.Entity<ErasureReceiptRow>(receipt =>
        {
            receipt.ToTable("erasure_receipt");
            receipt.HasKey(row => new { row.WorkspaceId, row.LeadId, row.Service });
        });
        modelBuilder.Entity<ChannelSettingsRow>(settings =>
        {
            settings.ToTable("channel_settings");
            settings.HasKey(row => new { row.WorkspaceId, row.Version });
            settings.Property(row => row.Settings).HasColumnType("jsonb");
        });
        modelBuilder.Entity<ReclassificationRow>(run =>
        {
            run.ToTable("reclassification");
            run.HasKey(row => row.WorkspaceId);
        });
        modelBuilder.Entity<SpendRow>(spend =>
        {
            spend.ToTable("spend");
            spend.HasKey(row => new { row.WorkspaceId, row.Date, row.Source, row.Medium, row.Campaign, row.Keyword });
            // Lists in order of date; the page key ends with the id.
            spend.HasIndex(row => new { row.WorkspaceId, row.Date, row.Id });
        });
    }
}
