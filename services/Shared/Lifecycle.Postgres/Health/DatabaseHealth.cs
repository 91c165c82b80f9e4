using System.Reflection;
using Dapper;
using Lifecycle.Postgres.Outbox;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Lifecycle.Postgres.Health;

/// <summary>The database answers.</summary>
internal sealed class PostgresHealth(NpgsqlDataSource dataSource) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var command = dataSource.CreateCommand("select 1");
        await command.ExecuteScalarAsync(cancellationToken);
        return HealthCheckResult.Healthy();
    }
}

/// <summary>Every migration that this program knows is applied. A database that is ahead is fine: migrations only expand.</summary>
internal sealed class MigrationsHealth<TContext>(NpgsqlDataSource dataSource) : IHealthCheck
    where TContext : LifecycleDbContext
{
    private volatile bool complete;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (complete)
        {
            return HealthCheckResult.Healthy();
        }

        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var applied = await connection.QueryAsync<string>(new CommandDefinition(
            """select "MigrationId" from migration_history""", cancellationToken: cancellationToken));
        var missing = Known().Except(applied, StringComparer.Ordinal).Count();
        complete = missing == 0;
        return complete
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"{missing} migrations are missing: run with --migrate.");
    }

    /// <summary>Not asked of EF: that would build its model in processes that otherwise never need it, some 20 MB.</summary>
    private static IEnumerable<string> Known() => typeof(TContext).Assembly.GetTypes()
        .Where(type => type.GetCustomAttribute<DbContextAttribute>()?.ContextType == typeof(TContext))
        .Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id)
        .OfType<string>();
}

/// <summary>Committed events reach the broker: none waits too long, none is parked.</summary>
internal sealed class OutboxHealth(NpgsqlDataSource dataSource, OutboxOptions options, TimeProvider time) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var (oldest, parked) = await connection.QuerySingleAsync<(DateTime? Oldest, long Parked)>(new CommandDefinition(
            """
            select (select created_at from outbox where not parked order by seq limit 1), (select count(*) from outbox where parked)
            """,
            cancellationToken: cancellationToken));
        var age = oldest is { } since ? time.GetUtcNow().UtcDateTime - since : TimeSpan.Zero;
        var data = new Dictionary<string, object> { ["oldestSeconds"] = Math.Round(Math.Max(0, age.TotalSeconds), 1), ["parked"] = parked };
        return parked > 0
            ? HealthCheckResult.Degraded($"{parked} events are parked in the outbox.", data: data)
            : age.TotalSeconds > options.DegradedAfterSeconds
                ? HealthCheckResult.Degraded($"The oldest event has waited {age.TotalSeconds:0} s for the broker.", data: data)
                : HealthCheckResult.Healthy(data: data);
    }
}
