namespace Lifecycle.Kernel.Expressions;

/// <summary>A field that a condition reads.</summary>
/// <param name="Name">Name in the catalog, e.g. <c>company.employees</c>, or of an open map, e.g. <c>lead.traits</c>.</param>
/// <param name="Key">What follows the name of an open map, e.g. <c>plan</c> or <c>address.city</c>; else null.</param>
/// <param name="Type">What it may hold.</param>
public sealed record Field(string Name, string? Key, FieldType Type)
{
    public override string ToString() => Key is null ? Name : $"{Name}.{Key}";
}

/// <summary>Where a condition reads its fields: one subject, such as a lead or an activity.</summary>
public interface IFieldSource
{
    /// <summary>The field's value, <see cref="FieldValue.Missing"/> when there is none.</summary>
    FieldValue Get(Field field);
}

/// <summary>The fields that conditions of one kind may read. Names compare without regard to case.</summary>
public sealed class FieldCatalog
{
    private readonly Dictionary<string, FieldType> fields;
    private readonly Dictionary<string, FieldType> maps;

    /// <param name="fields">Fields by dotted name.</param>
    /// <param name="maps">Open maps by dotted name: <c>lead.traits</c> admits <c>lead.traits.anything</c>.</param>
    public FieldCatalog(IReadOnlyDictionary<string, FieldType> fields, IReadOnlyDictionary<string, FieldType>? maps = null)
    {
        this.fields = new(fields, StringComparer.OrdinalIgnoreCase);
        this.maps = new(maps ?? new Dictionary<string, FieldType>(), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Whether conditions may count activities; the sources are then <see cref="IHistorySource"/>.</summary>
    public bool CountsActivities { get; init; }

    /// <summary>What conditions inside counts may read; null: the same.</summary>
    public FieldCatalog? Counted { get; init; }

    /// <summary>Whether conditions may ask for segments; the sources are then <see cref="ISegmentSource"/>.</summary>
    public bool KnowsSegments { get; init; }

    /// <summary>Whether conditions may ask for days; the sources are then <see cref="IDatedSource"/>.</summary>
    public bool KnowsDates { get; init; }

    /// <summary>Every name, maps as <c>name.*</c>, in order: what the error of an unknown field lists.</summary>
    public IEnumerable<string> Names => fields.Keys.Concat(maps.Keys.Select(name => name + ".*")).Order(StringComparer.Ordinal);

    /// <summary>The field of that name, or null.</summary>
    public Field? Find(string name)
    {
        if (fields.TryGetValue(name, out var type))
        {
            return new(fields.Keys.First(key => key.Equals(name, StringComparison.OrdinalIgnoreCase)), null, type);
        }

        foreach (var (map, mapType) in maps)
        {
            if (name.Length > map.Length + 1 && name[map.Length] == '.' && name.StartsWith(map, StringComparison.OrdinalIgnoreCase))
            {
                return new(map, name[(map.Length + 1)..], mapType);
            }
        }

        return null;
    }

    /// <summary>This catalog and another's fields; the other's win.</summary>
    public FieldCatalog With(FieldCatalog other) =>
        new(Join(fields, other.fields), Join(maps, other.maps))
        {
            CountsActivities = CountsActivities || other.CountsActivities,
            Counted = other.Counted ?? Counted,
            KnowsSegments = KnowsSegments || other.KnowsSegments,
            KnowsDates = KnowsDates || other.KnowsDates,
        };

    private static Dictionary<string, FieldType> Join(Dictionary<string, FieldType> left, Dictionary<string, FieldType> right)
    {
        var joined = new Dictionary<string, FieldType>(left, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, type) in right)
        {
            joined[name] = type;
        }

        return joined;
    }
}
