using Lifecycle.Postgres.Health;
using Lifecycle.Postgres.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lifecycle.Postgres;

public static class DatabaseRegistration
{
    /// <summary>
    /// Adds the database <c>ConnectionStrings:lifecycle</c>: data source,
    /// <see cref="UnitOfWork{TContext}"/>, cleaner of inbox and idempotency, health checks <c>postgres</c>, <c>migrations</c> and
    /// <c>outbox</c> (tag <c>ready</c>). The outbox relay comes with the bus.
    /// </summary>
    /// <param name="builder">The host's builder.</param>
    /// <param name="schema">Schema of the service, e.g. <c>scoring</c>; also the search path of hand-written SQL.</param>
    public static void AddLifecycleDatabase<TContext>(this IHostApplicationBuilder builder, string schema)
        where TContext : LifecycleDbContext
    {
        var services = builder.Services;
        var levels = builder.Configuration.GetSection("Logging:LogLevel").GetChildren();
        if (!levels.Any(level => level.Key.StartsWith("Npgsql", StringComparison.Ordinal)))
        {
            // It tells each statement at Information. Spans do that already.
            builder.Logging.AddFilter("Npgsql", LogLevel.Warning);
        }

        services.AddOptions<DatabaseOptions>().BindConfiguration(DatabaseOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<OutboxOptions>().BindConfiguration(OutboxOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<OutboxOptions>>().Value);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new LifecycleDatabase(schema, typeof(TContext)));
        services.AddSingleton(provider => DataSource(
            ConnectionString(builder.Configuration), schema, provider.GetRequiredService<IOptions<DatabaseOptions>>().Value,
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton(provider => new RelayConnections(
            ConnectionString(builder.Configuration), schema, provider.GetRequiredService<IOptions<DatabaseOptions>>().Value,
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton(provider => new ContextFactory<TContext>(
            ContextFactory<TContext>.Options(schema, provider.GetRequiredService<ILoggerFactory>())));
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton(provider => new UnitOfWork<TContext>(
            provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<ContextFactory<TContext>>(),
            provider.GetRequiredService<OutboxSignal>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<UnitOfWork<TContext>>>()));
        services.AddHostedService<MemoryCleaner<TContext>>();
        services.AddHealthChecks()
            .AddCheck<PostgresHealth>("postgres", tags: ["ready"])
            .AddCheck<MigrationsHealth<TContext>>("migrations", tags: ["ready"])
            .AddCheck<OutboxHealth>("outbox", tags: ["ready"]);
    }

    /// <exception cref="InvalidOperationException">The connection string is missing.</exception>
    internal static string ConnectionString(IConfiguration configuration) =>
        configuration.GetConnectionString("lifecycle") is { Length: > 0 } text
            ? text
            : throw new InvalidOperationException(
                "The connection string is missing: set ConnectionStrings__lifecycle to the Postgres database.");

    internal static NpgsqlDataSource DataSource(string connectionString, string schema, DatabaseOptions options, ILoggerFactory? loggers) =>
        new NpgsqlDataSourceBuilder(Settings(connectionString, schema, options).ConnectionString).UseLoggerFactory(loggers).Build();

    internal static NpgsqlConnectionStringBuilder Settings(string connectionString, string schema, DatabaseOptions options) =>
        new(connectionString)
        {
            SearchPath = schema,
            ApplicationName = $"lifecycle-{schema}",
            MaxPoolSize = options.MaxPoolSize,
            MaxAutoPrepare = options.MaxAutoPrepare,
            CommandTimeout = options.CommandTimeoutSeconds,
            // Nothing is set here for longer than a transaction, so there is nothing to reset before the next: seven statements, parsed
            // each time.
            NoResetOnClose = true,
            // Statements here take milliseconds; compiling one takes Postgres hundreds, and it guesses by costs when that pays.
            Options = "-c jit=off",
        };
}
