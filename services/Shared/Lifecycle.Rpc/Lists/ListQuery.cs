using System.Globalization;
using Lifecycle.Kernel;

namespace Lifecycle.Rpc;

/// <summary>
/// A list as asked for, in pieces of SQL. The row type has a property for the column <c>page_key</c> (text[]).
/// </summary>
/// <example><code>
/// var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime desc").OrThrow();
/// var rows = await tx.Connection.QueryAsync&lt;Row&gt;(
///     $"select l.id, l.email, {query.PageKey} from lead l where {query.Where} order by {query.OrderBy} limit {query.Limit}",
///     query.Parameters, tx.DbTransaction);
/// var (page, nextPageToken) = query.Page(rows, row =&gt; row.PageKey);
/// </code></example>
public sealed class ListQuery
{
    private readonly string identity;
    private readonly Ordering ordering;

    private ListQuery(int size, SqlFilter filter, Ordering ordering, IReadOnlyList<string> after, string identity)
    {
        (Size, this.ordering, this.identity) = (size, ordering, identity);
        var parameters = new Dictionary<string, object>(filter.Parameters);
        Where = after.Count == 0 ? filter.Sql : $"{filter.Sql} and {After(ordering, after, parameters)}";
        Parameters = parameters;
    }

    /// <summary>Rows on the page.</summary>
    public int Size { get; }

    /// <summary>Rows to read: one more than shown tells whether a page follows.</summary>
    public int Limit => Size + 1;

    /// <summary>Condition of filter and page. Add the list's own (a parent's id) with <c>and</c>.</summary>
    public string Where { get; }

    /// <summary>Total order.</summary>
    public string OrderBy => ordering.Sql;

    /// <summary>Select expression of the order key, named <c>page_key</c>.</summary>
    public string PageKey => $"array[{string.Join(", ", ordering.Keys.Select(key => $"({key.Field.Sql})::text"))}] as page_key";

    /// <summary>Parameters of <see cref="Where"/>, named f0… and k0….</summary>
    public IReadOnlyDictionary<string, object> Parameters { get; }

    /// <summary>Reads the four list fields; INVALID_ARGUMENT names every fault.</summary>
    /// <param name="fields">Fields of the list.</param>
    /// <param name="pageSize">0: 50; at most 1,000 are shown.</param>
    /// <param name="pageToken">From the page before; empty: the first.</param>
    /// <param name="filter">See <see cref="Filter"/>.</param>
    /// <param name="orderBy">See <see cref="Ordering"/>.</param>
    /// <param name="defaultOrder">Order where none is asked for.</param>
    /// <param name="scope">What else fixes the list, such as a parent's id; a token is good only for the same.</param>
    public static Result<ListQuery> Parse(
        ListFields fields, int pageSize, string? pageToken, string? filter, string? orderBy, string defaultOrder, string scope = "")
    {
        var violations = new Violations();
        var size = PageTokens.Size(pageSize, violations);
        var condition = Take(Filter.Parse(filter, fields), violations);
        var ordering = Take(Ordering.Parse(orderBy, fields, defaultOrder), violations);
        var identity = $"{filter}\n{ordering?.Sql}\n{scope}";
        var after = ordering is null ? null : Take(Key(pageToken, identity, ordering), violations);
        return violations.ToError() is { } error ? error : new ListQuery(size, condition!, ordering!, after!, identity);
    }

    /// <summary>The rows to show, and the token of the next page (empty after the last).</summary>
    public (IReadOnlyList<TRow> Rows, string NextPageToken) Page<TRow>(IEnumerable<TRow> rows, Func<TRow, string[]> pageKey)
    {
        var read = rows.ToList();
        if (read.Count <= Size)
        {
            return (read, "");
        }

        read.RemoveRange(Size, read.Count - Size);
        return (read, PageTokens.Encode(identity, pageKey(read[^1])));
    }

    private static Result<IReadOnlyList<string>> Key(string? pageToken, string identity, Ordering ordering)
    {
        var decoded = PageTokens.Decode(pageToken, identity, ordering.Keys.Count);
        return decoded.Succeeded
            && decoded.Value.Where((part, index) => !FieldValues.TryParse(ordering.Keys[index].Field, part, out _, out _)).Any()
            ? Error.Invalid("pageToken", "pageToken is none that this method gave out.")
            : decoded;
    }

    /// <summary>
    /// Rows after the key. With one direction throughout, a row comparison, which an index on the keys serves; else written out.
    /// </summary>
    private static string After(Ordering ordering, IReadOnlyList<string> after, Dictionary<string, object> parameters)
    {
        var values = new List<string>();
        for (var index = 0; index < after.Count; index++)
        {
            var field = ordering.Keys[index].Field;
            FieldValues.TryParse(field, after[index], out var value, out _);
            parameters.Add(string.Create(CultureInfo.InvariantCulture, $"k{index}"), value);
            values.Add($"@k{index}::{FieldValues.SqlType(field.Kind)}");
        }

        if (ordering.Keys.All(key => key.IsDescending == ordering.Keys[0].IsDescending))
        {
            var columns = string.Join(", ", ordering.Keys.Select(key => key.Field.Sql));
            return $"({columns}) {(ordering.Keys[0].IsDescending ? '<' : '>')} ({string.Join(", ", values)})";
        }

        var branches = ordering.Keys.Select((key, index) => string.Join(
            " and ",
            ordering.Keys.Take(index).Select((same, position) => $"{same.Field.Sql} = {values[position]}")
                .Append($"{key.Field.Sql} {(key.IsDescending ? '<' : '>')} {values[index]}")));
        return $"({string.Join(" or ", branches.Select(branch => $"({branch})"))})";
    }

    private static T? Take<T>(Result<T> result, Violations violations)
        where T : class
    {
        foreach (var violation in result.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        return result.Succeeded ? result.Value : null;
    }
}
