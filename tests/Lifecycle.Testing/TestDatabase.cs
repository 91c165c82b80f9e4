using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Lifecycle.Postgres;
using Lifecycle.Postgres.Migrate;
using Lifecycle.Postgres.Outbox;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Lifecycle.Testing;

/// <summary>A database of its own for a test, copied from a template that is migrated once per run; dropped when disposed.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    /// <summary>Password of the services' roles on test servers. Roles belong to the server, so every run has the same.</summary>
    public const string RolePassword = "lifecycle-test";

    private const string Prefix = "lifecycle_test_";

    /// <summary>Npgsql's own 15 s are less than a busy server may take to begin a session.</summary>
    private const int ConnectSeconds = 90;

    private static readonly TimeSpan LeftBehind = TimeSpan.FromHours(3);
    private static readonly TimeSpan SessionsEnd = TimeSpan.FromSeconds(60);
    private static readonly ConcurrentDictionary<Type, Lazy<Task<string>>> Templates = [];

    private readonly List<NpgsqlDataSource> dataSources = [];

    private TestDatabase(string name, string schema)
    {
        (Name, Schema) = (name, schema);
        Administrator = Open(AdministratorConnectionString);
        Application = Open(ConnectionString);
    }

    public string Name { get; }

    public string Schema { get; }

    /// <summary>As the service connects: role <c>&lt;schema&gt;_app</c>.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder(AdministratorConnectionString)
    {
        Username = $"{Schema}_app",
        Password = RolePassword,
    }.ConnectionString;

    /// <summary>As <c>--migrate</c> connects.</summary>
    public string AdministratorConnectionString => Administrative(Name);

    /// <summary>Sees every workspace: for asserting what is stored. The search path is the schema.</summary>
    public NpgsqlDataSource Administrator { get; }

    /// <summary>Sees what the service sees: nothing, until <c>app.workspace_id</c> is set.</summary>
    public NpgsqlDataSource Application { get; }

    /// <summary>A migrated database for <typeparamref name="TContext"/>.</summary>
    public static async Task<TestDatabase> Create<TContext>(string schema)
        where TContext : LifecycleDbContext
    {
        var template = await Templates.GetOrAdd(typeof(TContext), _ => new(() => CreateTemplate<TContext>(schema))).Value;
        var name = NewName();
        await OnServer($"create database {name} template {template}");
        return new(name, schema);
    }

    /// <summary>An empty database, for tests of the migrations themselves.</summary>
    public static async Task<TestDatabase> CreateEmpty(string schema)
    {
        var name = NewName();
        await OnServer($"create database {name}");
        return new(name, schema);
    }

    /// <summary>Runs what <c>--migrate</c> runs.</summary>
    public Task Migrate<TContext>()
        where TContext : LifecycleDbContext => Migrate<TContext>(AdministratorConnectionString, Schema);

    /// <summary>A unit of work in this process on this database, without a relay: what it publishes stays in the outbox.</summary>
    public UnitOfWork<TContext> UnitOfWork<TContext>(TimeProvider? time = null)
        where TContext : LifecycleDbContext =>
        new(
            Application, new(ContextFactory<TContext>.Options(Schema, NullLoggerFactory.Instance)), new OutboxSignal(),
            time ?? TimeProvider.System, NullLogger<UnitOfWork<TContext>>.Instance);

    /// <summary>Every row of a query by the administrator, the columns as objects.</summary>
    public async Task<IReadOnlyList<object?[]>> Query(string sql, params object[] parameters)
    {
        await using var command = Administrator.CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        var rows = new List<object?[]>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var row = new object?[reader.FieldCount];
            for (var column = 0; column < row.Length; column++)
            {
                row[column] = reader.IsDBNull(column) ? null : reader.GetValue(column);
            }

            rows.Add(row);
        }

        return rows;
    }

    /// <summary>First column of the first row; null when there is none. Positional parameters: <c>$1</c>.</summary>
    public async Task<T?> Scalar<T>(string sql, params object[] parameters) =>
        await Query(sql, parameters) is [[{ } value, ..], ..] ? (T)value : default;

    public async ValueTask DisposeAsync()
    {
        foreach (var dataSource in dataSources)
        {
            await dataSource.DisposeAsync();
        }

        await OnServer($"drop database if exists {Name} with (force)");
    }

    private NpgsqlDataSource Open(string connectionString)
    {
        var settings =
            new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = Schema, MaxPoolSize = 20, Timeout = ConnectSeconds };
        var dataSource = NpgsqlDataSource.Create(settings.ConnectionString);
        dataSources.Add(dataSource);
        return dataSource;
    }

    private static async Task<string> CreateTemplate<TContext>(string schema)
        where TContext : LifecycleDbContext
    {
        await DropLeftBehind();
        var name = NewName();
        await OnServer($"create database {name}");
        await Migrate<TContext>(Administrative(name), schema);
        // Not waited for by Wait, which would end the process with an exception: a later run drops what is left.
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            Task.WaitAny([OnServer($"drop database if exists {name} with (force)")], TimeSpan.FromSeconds(10));
        return name;
    }

    private static Task Migrate<TContext>(string connectionString, string schema)
        where TContext : LifecycleDbContext =>
        new Migrator<TContext>(
            connectionString, schema, RolePassword, new DatabaseOptions(), TimeProvider.System, NullLoggerFactory.Instance)
            .Run(CancellationToken.None);

    /// <summary>Databases of runs that were killed. The name tells when they were made.</summary>
    private static async Task DropLeftBehind()
    {
        await using var connection = new NpgsqlConnection(Administrative("postgres"));
        await connection.OpenAsync();
        var names = new List<string>();
        await using (var command = new NpgsqlCommand($"select datname from pg_database where datname like '{Prefix}%'", connection))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                names.Add(reader.GetString(0));
            }
        }

        var oldest = (TimeProvider.System.GetUtcNow() - LeftBehind).ToUnixTimeSeconds();
        foreach (var name in names)
        {
            if (long.TryParse(name[Prefix.Length..].Split('_')[0], CultureInfo.InvariantCulture, out var made) && made < oldest)
            {
                await OnServer($"drop database if exists {name} with (force)");
            }
        }
    }

    private static string NewName()
    {
        var now = TimeProvider.System.GetUtcNow();
        var random = Convert.ToHexStringLower(Guid.CreateVersion7(now).ToByteArray()[8..]);
        return $"{Prefix}{now.ToUnixTimeSeconds()}_{Environment.ProcessId}_{random}";
    }

    private static string Administrative(string database) => new NpgsqlConnectionStringBuilder(TestServers.Postgres)
    {
        Database = database,
        IncludeErrorDetail = true,
    }.ConnectionString;

    /// <summary>
    /// A database can be copied or dropped only when its last session has ended. The server waits five seconds for that, which a busy
    /// machine may exceed: then it is asked again.
    /// </summary>
    private static async Task OnServer(string sql)
    {
        var settings = new NpgsqlConnectionStringBuilder(Administrative("postgres")) { Pooling = false, Timeout = ConnectSeconds };
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(settings.ConnectionString);
                await connection.OpenAsync();
                await using var command = new NpgsqlCommand(sql, connection);
                await command.ExecuteNonQueryAsync();
                return;
            }
            catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.ObjectInUse && clock.Elapsed < SessionsEnd)
            {
                // It has waited already.
            }
        }
    }
}
