namespace Lifecycle.Rpc;

/// <summary>How a field of a list compares; decides which operators and values it takes.</summary>
public enum FieldKind
{
    /// <summary>Text; <c>:</c> looks for a part, ignoring case.</summary>
    Text,

    /// <summary>E-mail address, compared in the form of <see cref="Kernel.EmailKey"/>; <c>:</c> looks for a part.</summary>
    Email,

    /// <summary>One of fixed names; takes only <c>=</c> and <c>!=</c>.</summary>
    Name,

    /// <summary>Decimal number.</summary>
    Number,

    /// <summary>Whole number of 64 bits.</summary>
    Whole,

    /// <summary>true or false.</summary>
    Boolean,

    /// <summary>Instant, RFC 3339, or a day (its start in UTC).</summary>
    Time,

    /// <summary>Day, <c>2026-03-31</c>.</summary>
    Date,

    /// <summary>UUID.</summary>
    Id,

    /// <summary>Array of texts; <c>:</c> asks whether it holds the value.</summary>
    Texts,

    /// <summary>JSON object of texts, addressed as <c>field.key</c>.</summary>
    Json,
}

/// <summary>A field that lists can be filtered and ordered by.</summary>
/// <param name="Name">JSON name in the API, dotted for nested ones.</param>
/// <param name="Sql">Column or expression. It must not be null if it is sorted by.</param>
/// <param name="Kind">How it compares.</param>
/// <param name="IsSortable">Whether lists may be ordered by it; an index should stand behind it.</param>
/// <param name="Names">Names that a <see cref="FieldKind.Name"/> accepts.</param>
public sealed record ListField(string Name, string Sql, FieldKind Kind, bool IsSortable, IReadOnlyList<string> Names);

/// <summary>The fields of one list: what clients may name in <c>filter</c> and <c>orderBy</c>, and the SQL behind each.</summary>
/// <example><code>
/// static readonly ListFields Fields = new ListFields("id", "l.id")
///     .Add("email", "l.email").Sortable("createTime", "l.create_time", FieldKind.Time).Names("stage", "l.stage", ["LEAD", "MQL"])
///     .Json("traits", "l.traits");
/// </code></example>
public sealed class ListFields
{
    private readonly Dictionary<string, ListField> fields = new(StringComparer.Ordinal);

    /// <param name="idName">Name of the unique id, which every order ends with.</param>
    /// <param name="idSql">Its column.</param>
    /// <param name="idKind">Its kind.</param>
    public ListFields(string idName, string idSql, FieldKind idKind = FieldKind.Id)
    {
        Id = new(idName, idSql, idKind, IsSortable: true, []);
        fields.Add(idName, Id);
    }

    /// <summary>The unique field that ends every order.</summary>
    public ListField Id { get; }

    internal string Known =>
        string.Join(", ", fields.Values.Select(known => known.Kind == FieldKind.Json ? known.Name + ".<key>" : known.Name));

    internal string KnownSortable => string.Join(", ", fields.Values.Where(known => known.IsSortable).Select(known => known.Name));

    /// <summary>A field to filter by.</summary>
    public ListFields Add(string name, string sql, FieldKind kind = FieldKind.Text) => Add(new ListField(name, sql, kind, false, []));

    /// <summary>A field to filter and order by. <paramref name="sql"/> is never null.</summary>
    public ListFields Sortable(string name, string sql, FieldKind kind = FieldKind.Text) => Add(new ListField(name, sql, kind, true, []));

    /// <summary>A field that holds one of the names, such as an enum's.</summary>
    public ListFields Names(string name, string sql, IEnumerable<string> names) =>
        Add(new ListField(name, sql, FieldKind.Name, false, names.ToArray()));

    /// <summary>A jsonb column whose values are reached as <c>name.key</c>.</summary>
    public ListFields Json(string name, string sql) => Add(new ListField(name, sql, FieldKind.Json, false, []));

    /// <summary>The field and, for one inside a JSON column, the key in it.</summary>
    internal ListField? Find(string name, out string? key)
    {
        key = null;
        if (fields.TryGetValue(name, out var field))
        {
            return field.Kind == FieldKind.Json ? null : field;
        }

        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && dot < name.Length - 1 && fields.TryGetValue(name[..dot], out field) && field.Kind == FieldKind.Json)
        {
            key = name[(dot + 1)..];
            return field;
        }

        return null;
    }

    private ListFields Add(ListField field)
    {
        fields.Add(field.Name, field);
        return this;
    }
}
