using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Scoring.Storage;

/// <summary>Arrays as parameters, one per column of the rows that a statement takes from <c>unnest</c>.</summary>
internal static class Column
{
    public static NpgsqlParameter Of<TRow, TValue>(NpgsqlDbType type, IReadOnlyCollection<TRow> rows, Func<TRow, TValue> value) =>
        Bulk.Array(type, rows.Select(value).ToArray());

    /// <summary>Adds a statement to those that end the transaction (see <see cref="Transaction{TContext}.Closing"/>); <c>$1</c> is the
    /// workspace.</summary>
    public static void Close(this Transaction<ScoringDbContext> tx, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(Bulk.Value(tx.WorkspaceId));
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        tx.Closing.BatchCommands.Add(command);
    }
}
