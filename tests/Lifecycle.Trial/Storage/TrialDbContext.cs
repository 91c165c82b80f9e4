using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Trial.Storage;

public sealed class TrialDbContext(DbContextOptions<TrialDbContext> options) : LifecycleDbContext(options, "trial")
{
    public DbSet<Move> Moves => Set<Move>();

    public DbSet<Sighting> Sightings => Set<Sighting>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Move>(move =>
        {
            move.HasKey(row => new { row.WorkspaceId, row.LeadId, row.Version });
            move.OwnsOne(row => row.Price);
        });
        modelBuilder.Entity<Sighting>().HasKey(row => new { row.WorkspaceId, row.LeadId, row.Version });
    }
}

/// <summary>A change that publishes an event.</summary>
public sealed class Move
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public required long Version { get; init; }

    public string? Note { get; set; }

    public DateOnly? Day { get; set; }

    public Price? Price { get; set; }
}

public sealed class Price
{
    public required string CurrencyCode { get; init; }

    public required decimal Amount { get; init; }
}

/// <summary>How often a version was handled: once, if all is well.</summary>
public sealed class Sighting
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public required long Version { get; init; }

    public required int Times { get; init; }
}
