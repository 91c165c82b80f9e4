using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Postgres;

/// <summary>
/// Many rows in one statement: <c>insert … select unnest(array), …</c>. (COPY is refused on tables with row-level security.)
/// </summary>
/// <remarks>
/// Each array is unnested in the select list, row by row: <c>from unnest(arrays)</c> keeps every column in a store of its own before the
/// first row, half of what a wide row costs.
/// </remarks>
public static class Bulk
{
    /// <summary>Inserts one row per array position.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="table">Table in the service's schema; never user input.</param>
    /// <param name="columns">Columns of equal length.</param>
    /// <param name="onConflict">E.g. <c>on conflict do nothing</c>; empty: a conflict throws.</param>
    /// <returns>Rows inserted or updated.</returns>
    /// <exception cref="ArgumentException">Columns of different lengths.</exception>
    public static async Task<int> Insert<TContext>(
        Transaction<TContext> tx, string table, IReadOnlyList<BulkColumn> columns, string onConflict = "")
        where TContext : LifecycleDbContext
    {
        await using var batch = new NpgsqlBatch(tx.Connection, tx.DbTransaction);
        Add(batch, table, columns, onConflict);
        return batch.BatchCommands.Count == 0 ? 0 : await batch.ExecuteNonQueryAsync(tx.CancellationToken);
    }

    /// <summary>
    /// As <see cref="Insert"/>, as part of a batch that goes to the server in one round trip; nothing when there are no rows.
    /// </summary>
    /// <exception cref="ArgumentException">Columns of different lengths.</exception>
    public static void Add(NpgsqlBatch batch, string table, IReadOnlyList<BulkColumn> columns, string onConflict = "") => Add(
        batch, columns, rows => $"insert into {table} ({string.Join(", ", columns.Select(column => column.Name))}) {rows} {onConflict}");

    /// <summary>Adds a statement that updates one row per array position; nothing when there are no rows.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="table">Table in the service's schema; never user input.</param>
    /// <param name="keys">Those of the columns that find the row; the others are set.</param>
    /// <param name="columns">Columns of equal length.</param>
    /// <exception cref="ArgumentException">Columns of different lengths.</exception>
    public static void AddUpdate(
        NpgsqlBatch batch, string table, IReadOnlyCollection<string> keys, IReadOnlyList<BulkColumn> columns) => Add(
        batch, columns, rows =>
        {
            var set = string.Join(
                ", ", columns.Where(column => !keys.Contains(column.Name)).Select(column => $"{column.Name} = n.{column.Name}"));
            var where = string.Join(" and ", keys.Select(key => $"o.{key} = n.{key}"));
            return $"update {table} o set {set} from ({rows}) n where {where}";
        });

    private static void Add(NpgsqlBatch batch, IReadOnlyList<BulkColumn> columns, Func<string, string> sql)
    {
        if (columns.Any(column => column.Values.Length != columns[0].Values.Length))
        {
            throw new ArgumentException("Columns have different lengths.", nameof(columns));
        }

        if (columns[0].Values.Length == 0)
        {
            return;
        }

        var command = new NpgsqlBatchCommand(
            sql($"select {string.Join(", ", columns.Select((column, index) => $"unnest(${index + 1}) as {column.Name}"))}"));
        foreach (var column in columns)
        {
            command.Parameters.Add(Array(column.Type, column.Values));
        }

        batch.BatchCommands.Add(command);
    }

    /// <summary>A parameter of one value.</summary>
    public static NpgsqlParameter Value<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    /// <summary>A parameter of an array.</summary>
    /// <param name="type">Type of its elements.</param>
    /// <param name="values">The array.</param>
    public static NpgsqlParameter Array(NpgsqlDbType type, Array values) =>
        new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}

/// <summary>One column of a bulk insert.</summary>
/// <param name="Name">Column name.</param>
/// <param name="Type">Type of the column, which Postgres holds the array to.</param>
/// <param name="Values">
/// Array of the column's values, e.g. <c>Guid[]</c>, <c>string?[]</c>, <c>decimal?[]</c>, <c>DateTimeOffset[]</c> (UTC).
/// </param>
public sealed record BulkColumn(string Name, NpgsqlDbType Type, Array Values)
{
    /// <summary>A column whose values are taken from rows.</summary>
    public static BulkColumn From<TRow, TValue>(string name, NpgsqlDbType type, IReadOnlyCollection<TRow> rows, Func<TRow, TValue> value) =>
        new(name, type, rows.Select(value).ToArray());
}
