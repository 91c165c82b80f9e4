using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Postgres;

/// <summary>
/// Makes EF contexts over connections that are already open. Options are built once; a context costs some tens of microseconds.
/// </summary>
internal sealed class ContextFactory<TContext>(DbContextOptions<TContext> options)
    where TContext : LifecycleDbContext
{
    private readonly Func<DbContextOptions<TContext>, TContext> create = CompileConstructor();

    public static DbContextOptions<TContext> Options(string schema, ILoggerFactory? loggers, string? connectionString = null) =>
        new DbContextOptionsBuilder<TContext>()
            .UseNpgsql(connectionString, npgsql => npgsql.MigrationsHistoryTable("migration_history", schema))
            .UseLoggerFactory(loggers)
            // What fails is thrown, and logged by whoever cannot handle it: a conflict that is run again is no error.
            .ConfigureWarnings(warnings => warnings.Log(
                (RelationalEventId.CommandError, LogLevel.Debug), (RelationalEventId.TransactionError, LogLevel.Debug),
                (CoreEventId.SaveChangesFailed, LogLevel.Debug), (CoreEventId.QueryIterationFailed, LogLevel.Debug),
                (CoreEventId.OptimisticConcurrencyException, LogLevel.Debug), (RelationalEventId.CommandExecuted, LogLevel.Debug)))
            .Options;

    public TContext Create() => create(options);

    public TContext Open(Transaction<TContext> tx, bool tracking)
    {
        var db = create(options);
        db.Database.SetDbConnection(tx.Connection);
        db.Database.UseTransaction(tx.DbTransaction);
        // A save that fails ends the transaction: a savepoint before each would be two round trips for nothing.
        db.Database.AutoSavepointsEnabled = false;
        if (!tracking)
        {
            db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        }

        return db;
    }

    private static Func<DbContextOptions<TContext>, TContext> CompileConstructor()
    {
        var parameter = Expression.Parameter(typeof(DbContextOptions<TContext>));
        var constructor = typeof(TContext).GetConstructor([typeof(DbContextOptions<TContext>)])
            ?? throw new InvalidOperationException(
                $"{typeof(TContext).Name} needs the constructor ({nameof(DbContextOptions)}<{typeof(TContext).Name}> options).");
        return Expression.Lambda<Func<DbContextOptions<TContext>, TContext>>(Expression.New(constructor, parameter), parameter).Compile();
    }
}
