using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Storage;

/// <summary>Keyset pages of ids; the rows behind them are then read by key.</summary>
internal static class Pages
{
    /// <param name="tx">The transaction.</param>
    /// <param name="table">Table and alias; never user input.</param>
    /// <param name="id">Id column.</param>
    /// <param name="query">The list as asked for.</param>
    /// <param name="condition">The list's own condition, over <c>@parentId</c>.</param>
    /// <param name="parentId">Value of <c>@parentId</c>.</param>
    public static async Task<(Guid[] Ids, string NextPageToken)> Ids(
        Transaction<RetentionDbContext> tx, string table, string id, ListQuery query, string condition = "true", Guid? parentId = null)
    {
        var parameters =
            new Dictionary<string, object>(query.Parameters) { ["workspaceId"] = tx.WorkspaceId, ["parentId"] = parentId ?? Guid.Empty };
        var keys = await tx.Connection.QueryAsync<Key>(
            $"select {id} as id, {query.PageKey} from {table} where workspace_id = @workspaceId and {condition} and {query.Where} order by {query.OrderBy} limit {query.Limit}",
            new DynamicParameters(parameters));
        var (page, next) = query.Page(keys, key => key.PageKey);
        return ([.. page.Select(key => key.Id)], next);
    }

    /// <summary>Dapper fills properties; an array fits no constructor parameter of its.</summary>
    private sealed class Key
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
