using Lifecycle.Postgres.Migrate;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Postgres;

public static class Migrations
{
    /// <summary>
    /// With <c>--migrate</c> among the arguments: prepares roles and schema, applies the migrations as the schema's owner, then row-level
    /// security and grants, and answers true: the program ends. The connection string is the administrator's. Safe to run again and at the
    /// same time as others.
    /// </summary>
    /// <param name="args">The program's arguments.</param>
    /// <param name="configuration">
    /// <c>ConnectionStrings:lifecycle</c> and <c>Lifecycle:DatabasePassword</c>, the password for the application role.
    /// </param>
    /// <param name="schema">Schema of the service.</param>
    /// <exception cref="InvalidOperationException">A setting is missing.</exception>
    /// <exception cref="TimeoutException">The server did not answer within <see cref="DatabaseOptions.WaitForServerSeconds"/>.</exception>
    public static async Task<bool> RunIfAsked<TContext>(string[] args, IConfiguration configuration, string schema)
        where TContext : LifecycleDbContext
    {
        if (!args.Contains("--migrate", StringComparer.Ordinal))
        {
            return false;
        }

        using var loggers = LoggerFactory.Create(logging => logging
            .AddConfiguration(configuration.GetSection("Logging"))
            .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning)
            .AddSimpleConsole(console => console.SingleLine = true));
        var password = configuration["Lifecycle:DatabasePassword"] is { Length: > 0 } text
            ? text
            : throw new InvalidOperationException("Set Lifecycle__DatabasePassword to the password of the services' database roles.");
        var options = configuration.GetSection(DatabaseOptions.Section).Get<DatabaseOptions>() ?? new DatabaseOptions();
        var server = DatabaseRegistration.ConnectionString(configuration);
        await new Migrator<TContext>(server, schema, password, options, TimeProvider.System, loggers).Run(CancellationToken.None);
        return true;
    }
}
