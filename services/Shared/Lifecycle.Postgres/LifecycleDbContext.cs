using Lifecycle.Postgres.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace Lifecycle.Postgres;

/// <summary>
/// Base of every service's model: one schema, snake_case names (a table is named after its entity, not after the set), and the tables that
/// the unit of work needs: <c>outbox</c>, <c>inbox</c>, <c>idempotency</c>, <c>workspace</c>.
/// </summary>
/// <remarks>
/// A derived context has the one constructor <c>(DbContextOptions&lt;TContext&gt; options)</c> and calls <c>base.OnModelCreating</c> first.
/// A table with a column <c>workspace_id</c> is tenant data and gets row-level security from the <c>--migrate</c> run.
/// </remarks>
/// <param name="options">Options of the derived context.</param>
/// <param name="schema">Schema that holds every table of the service.</param>
public abstract class LifecycleDbContext(DbContextOptions options, string schema) : DbContext(options)
{
    /// <summary>Schema that holds every table of the service.</summary>
    public string Schema => schema;

    /// <summary>Workspaces known to this service; kept by <c>WorkspaceUpdated</c>, not tenant data.</summary>
    public DbSet<Workspace> Workspaces => Set<Workspace>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Conventions.Remove<TableNameFromDbSetConvention>();
        configurationBuilder.Conventions.Add(_ => new SnakeCaseNames());
        configurationBuilder.Properties<decimal>().HaveColumnType("numeric");
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(schema);
        modelBuilder.Entity<Workspace>(workspace => workspace.HasKey(row => row.Id));
        modelBuilder.Entity<OutboxRow>(outbox =>
        {
            outbox.ToTable("outbox");
            outbox.HasKey(row => row.Seq);
            outbox.Property(row => row.Seq).UseIdentityAlwaysColumn();
            outbox.Property(row => row.Body).HasColumnType("jsonb");
            outbox.Property(row => row.Headers).HasColumnType("jsonb");
            // The relay asks of each due row whether an earlier one of its key is held back; only those that failed are in this index.
            outbox.HasIndex(row => new { row.OrderingKey, row.Seq }).HasFilter("not_before is not null");
        });
        modelBuilder.Entity<InboxRow>(inbox =>
        {
            inbox.ToTable("inbox");
            inbox.HasKey(row => new { row.MessageId, row.Consumer });
            // For the cleaner.
            inbox.HasIndex(row => row.HandledAt);
        });
        modelBuilder.Entity<IdempotencyRow>(idempotency =>
        {
            idempotency.ToTable("idempotency");
            idempotency.HasKey(row => new { row.WorkspaceId, row.Method, row.RequestId });
            // For the cleaner.
            idempotency.HasIndex(row => new { row.WorkspaceId, row.CreatedAt });
        });
    }
}
