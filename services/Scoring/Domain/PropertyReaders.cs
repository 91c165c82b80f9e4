using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>Which activities' properties a rule may look at: most activities are views of pages, of which rules and words need no more
/// than the address, and what nobody reads need not be fetched.</summary>
internal static class PropertyReaders
{
    /// <summary>Types of which <see cref="Evidence"/> tells no property.</summary>
    public static readonly IReadOnlyList<string> Wordless = ["PAGE", "SCREEN", "TRACK", "CHAT", "IDENTIFY", "GROUP", Activity.EmailType];

    /// <summary>False when the rule reads no properties at all, or its condition fails by the type alone before it does.</summary>
    public static bool MayRead(ScoringRule rule, string type) =>
        ((Reads(rule.Condition) || IsProperty(rule.OncePer?.Field)) && !FailsByType(rule.Condition, type))
        || rule.Condition.Tallies.Any(tally => tally.Condition is { } counted && Reads(counted) && !FailsByType(counted, type));

    private static bool Reads(Condition condition) => condition.Fields.Any(IsProperty);

    private static bool IsProperty(Field? field) => field?.Name == "activity.properties";

    private static bool FailsByType(Condition condition, string type)
    {
        var probe = new TypeProbe(type);
        return !condition.Holds(probe, DateTimeOffset.UnixEpoch) && !probe.ReadMore;
    }

    private sealed class TypeProbe(string type) : IHistorySource
    {
        public bool ReadMore { get; private set; }

        public FieldValue Get(Field field)
        {
            if (field.Name == "activity.type")
            {
                return FieldValue.Of(type);
            }

            ReadMore = true;
            return FieldValue.Missing;
        }

        public int Count(Tally tally, DateTimeOffset now)
        {
            ReadMore = true;
            return 0;
        }
    }
}
