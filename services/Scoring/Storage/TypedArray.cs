using System.Data;
using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Scoring.Storage;

/// <summary>An array parameter whose type is said: of times that may be missing, Npgsql cannot tell it from the values.</summary>
internal sealed class TypedArray(Array values, NpgsqlDbType type) : SqlMapper.ICustomQueryParameter
{
    public static TypedArray Times<TRow>(IEnumerable<TRow> rows, Func<TRow, DateTimeOffset?> time) =>
        new(rows.Select(row => time(row)?.UtcDateTime).ToArray(), NpgsqlDbType.TimestampTz);

    public void AddParameter(IDbCommand command, string name) =>
        command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | type) { Value = values });
}
