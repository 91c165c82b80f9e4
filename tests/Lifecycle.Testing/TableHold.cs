using Npgsql;

namespace Lifecycle.Testing;

/// <summary>
/// Makes whoever changes certain rows of a table wait until it is disposed, so that a test can act in the middle of work, however fast that
/// is.
/// </summary>
public sealed class TableHold : IAsyncDisposable
{
    private const string Key = "hashtextextended('test.hold', 0)";

    private readonly NpgsqlConnection holder;

    private TableHold(NpgsqlConnection holder) => this.holder = holder;

    /// <param name="database">Database of the table.</param>
    /// <param name="change"><c>update</c> or <c>delete</c>.</param>
    /// <param name="table">Table of the schema.</param>
    /// <param name="rows">Condition on <c>old</c> and <c>new</c>, by which rows are held; all when it is not given.</param>
    public static async Task<TableHold> Take(TestDatabase database, string change, string table, string rows = "true")
    {
        await database.Query(
            $"""
            create or replace function test_hold() returns trigger language plpgsql as $$
            begin
              perform pg_advisory_xact_lock_shared({Key});
              return case when tg_op = 'DELETE' then old else new end;
            end $$;
            """);
        var holder = await database.Administrator.OpenConnectionAsync();
        await Run(holder, $"select pg_advisory_lock({Key})");
        await Run(holder,
            $"create or replace trigger test_hold before {change} on {table} for each row when ({rows}) execute function test_hold()");
        return new(holder);
    }

    public async ValueTask DisposeAsync()
    {
        await Run(holder, $"select pg_advisory_unlock({Key})");
        await holder.DisposeAsync();
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
