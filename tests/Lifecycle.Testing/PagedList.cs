using System.Text.Json.Nodes;

namespace Lifecycle.Testing;

/// <summary>Reads lists as a client does, page by page.</summary>
public static class PagedList
{
    /// <summary>The list in an order, two rows a page.</summary>
    /// <param name="get">Asks for a path.</param>
    /// <param name="path">Path of the list, without a query.</param>
    /// <param name="orderBy">The order; empty: the list's own.</param>
    /// <param name="row">What to tell of a row.</param>
    public static async Task<List<string>> Read(
        Func<string, Task<JsonNode>> get, string path, string orderBy, Func<JsonNode, string> row)
    {
        var (read, token) = (new List<string>(), "");
        do
        {
            var page = (await get($"{path}?pageSize=2&orderBy={Uri.EscapeDataString(orderBy)}&pageToken={token}")).AsObject();
            read.AddRange(page.Select(member => member.Value).OfType<JsonArray>().Single().Select(item => row(item!)));
            token = page["nextPageToken"]?.GetValue<string>() ?? "";
        }
        while (token.Length > 0);
        return read;
    }
}
