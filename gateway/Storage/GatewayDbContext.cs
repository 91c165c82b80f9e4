using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Gateway.Storage;

/// <summary>
/// Schema <c>gateway</c>. Its table <c>workspace</c> is where workspaces are made. <c>api_key</c> is tenant data like any other, with one
/// more policy (see the first migration): a transaction that has set <c>app.key_hash</c> may read the one row with that hash, whatever its
/// workspace. So a key finds its workspace, and nothing finds a key that it does not hold.
/// </summary>
public sealed class GatewayDbContext(DbContextOptions<GatewayDbContext> options) : LifecycleDbContext(options, "gateway")
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<ApiKey>(key =>
        {
            key.HasKey(row => new { row.WorkspaceId, row.Id });
            key.HasIndex(row => row.KeyHash).IsUnique();
            key.Property(row => row.Kind).HasMaxLength(16);
        });
        modelBuilder.Entity<MetricTarget>(target =>
        {
            target.HasKey(row => new { row.WorkspaceId, row.Service, row.Metric, row.Granularity });
            target.Property(row => row.Value).HasColumnType("double precision");
        });
    }
}

/// <summary>An API key at rest: its hash, never the key.</summary>
public sealed class ApiKey
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    /// <summary>SHA-256 of the key. The key has 256 random bits: nothing slower or salted is needed.</summary>
    public required byte[] KeyHash { get; init; }

    /// <summary>First characters, to tell keys apart.</summary>
    public required string KeyPrefix { get; init; }

    /// <summary><c>SECRET</c> or <c>PUBLISHABLE</c>.</summary>
    public required string Kind { get; init; }

    public required string[] Scopes { get; init; }

    public required string DisplayName { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset? ExpireTime { get; init; }

    public DateTimeOffset? RevokeTime { get; set; }

    public DateTimeOffset? LastUseTime { get; set; }
}

/// <summary>What a metric is to reach in one granule.</summary>
public sealed class MetricTarget
{
    public required Guid WorkspaceId { get; init; }

    public required string Service { get; init; }

    public required string Metric { get; init; }

    /// <summary><c>DAY</c> to <c>YEAR</c>.</summary>
    public required string Granularity { get; init; }

    public required double Value { get; init; }

    /// <summary>Less is better.</summary>
    public required bool IsAtMost { get; init; }
}
