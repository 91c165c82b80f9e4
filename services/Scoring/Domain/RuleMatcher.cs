using System.Collections.Concurrent;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>
/// Which rules of a model can hold for an activity. Most conditions are settled by type, name and page alone, and of these there are few:
/// what they settle is remembered, so that only what reads more is asked each time. Safe for concurrent use.
/// </summary>
internal sealed class RuleMatcher(IReadOnlyList<ScoringRule> rules)
{
    // Past this many, all is forgotten and learnt anew.
    private const int MaxRemembered = 20_000;
    private ConcurrentDictionary<(string Type, string Name, string? Page), Candidate[]> remembered = new();
    private int count;

    /// <summary>Rules over activities that can hold, in the model's order.</summary>
    public Candidate[] Of(Activity activity)
    {
        // Query and fragment, in which landing pages carry click ids, tell no page from another.
        var cut = activity.Url?.Contains("://", StringComparison.Ordinal) == true ? activity.Url.AsSpan().IndexOfAny('?', '#') : -1;
        var key = (activity.Type, activity.Name, cut < 0 ? activity.Url : activity.Url![..cut]);
        if (remembered.TryGetValue(key, out var known))
        {
            return known;
        }

        if (Interlocked.Increment(ref count) > MaxRemembered)
        {
            (remembered, count) = (new(), 1);
        }

        return remembered[key] = Settle(activity, cut >= 0);
    }

    private Candidate[] Settle(Activity activity, bool hasQuery)
    {
        var candidates = new List<Candidate>();
        foreach (var (index, rule) in rules.Index())
        {
            if (rule.Kind != RuleKind.Activity)
            {
                continue;
            }

            // A condition reads its fields in a fixed order and stops when it is settled: if it read nothing but the key, every activity of
            // the same key gets the same answer.
            var probe = new Probe(activity, hasQuery);
            var holds = rule.Condition.Holds(probe, activity.Time);
            if (holds || probe.ReadMore)
            {
                candidates.Add(new(index, IsCertain: !probe.ReadMore));
            }
        }

        return [.. candidates];
    }

    /// <param name="Index">Position of the rule in the model.</param>
    /// <param name="IsCertain">It holds; else its condition has to be asked.</param>
    internal readonly record struct Candidate(int Index, bool IsCertain);

    private sealed class Probe(Activity activity, bool hasQuery) : IHistorySource
    {
        public bool ReadMore { get; private set; }

        public FieldValue Get(Field field)
        {
            if (field.Name is "activity.type" or "activity.name" or "activity.path" or "email.kind"
                || (field.Name is "activity.url" && !hasQuery))
            {
                return activity.Get(field);
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
