using Lifecycle.Kernel;

namespace Lifecycle.Rpc;

/// <summary>One key of an order.</summary>
public sealed record OrderKey(ListField Field, bool IsDescending);

/// <summary>The order of a list: the keys asked for, ended by the unique id so that it is total.</summary>
/// <param name="Keys">Keys, most significant first.</param>
public sealed record Ordering(IReadOnlyList<OrderKey> Keys)
{
    /// <summary>Most keys that one order may have.</summary>
    public const int MaxKeys = 5;

    /// <summary>As in <c>order by</c>.</summary>
    public string Sql => string.Join(", ", Keys.Select(key => key.Field.Sql + (key.IsDescending ? " desc" : " asc")));

    /// <summary>Reads <c>field [asc|desc], …</c>; INVALID_ARGUMENT names every fault.</summary>
    /// <param name="orderBy">Text; empty: <paramref name="defaultOrder"/>.</param>
    /// <param name="fields">Fields of the list.</param>
    /// <param name="defaultOrder">Order where none is asked for.</param>
    public static Result<Ordering> Parse(string? orderBy, ListFields fields, string defaultOrder)
    {
        var violations = new Violations();
        var keys = new List<OrderKey>();
        foreach (var part in (string.IsNullOrWhiteSpace(orderBy) ? defaultOrder : orderBy).Split(','))
        {
            var words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var field = words.Length > 0 ? fields.Find(words[0], out _) : null;
            if (field is null or { IsSortable: false })
            {
                violations.Add("orderBy", $"{part.Trim()} is no field to order by; known: {fields.KnownSortable}.");
            }
            else if (words.Length > 2 || (words.Length == 2 && words[1] is not ("asc" or "desc")))
            {
                violations.Add("orderBy", $"{words[0]} may be followed by asc or desc, not by {string.Join(' ', words.Skip(1))}.");
            }
            else if (violations.Require(keys.All(key => key.Field != field), "orderBy", $"{words[0]} is given twice."))
            {
                keys.Add(new(field, words is [_, "desc"]));
            }
        }

        violations.Require(keys.Count <= MaxKeys, "orderBy", $"orderBy has at most {MaxKeys} fields.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        // What follows a unique key never decides.
        var unique = keys.FindIndex(key => key.Field == fields.Id);
        return unique >= 0
            ? new Ordering(keys.Take(unique + 1).ToArray())
            : new Ordering([.. keys, new(fields.Id, keys[^1].IsDescending)]);
    }
}
