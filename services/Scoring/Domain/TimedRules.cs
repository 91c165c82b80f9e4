using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>A span of time during which a rule's condition holds.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Order">Its place in the model.</param>
/// <param name="Start">First instant.</param>
/// <param name="End">First instant at which it holds no more if nothing else happens; null: never.</param>
/// <param name="Detail">What is seen of the evidence at the start.</param>
internal sealed record Holding(ScoringRule Rule, int Order, DateTimeOffset Start, DateTimeOffset? End, string? Detail);

/// <summary>
/// Follows rules of <see cref="RuleKind.Timed"/> through time. Counts and ages change only when something is done, and a fixed span after
/// it: between two such instants a condition cannot change, so looking at each of them finds every change to the tick, past and to come.
/// </summary>
internal static class TimedRules
{
    /// <summary>When the model's timed rules hold for a lead, if nothing happens after its last activity; by start, then in the model's
    /// order.</summary>
    public static IReadOnlyList<Holding> Follow(ScoringModel model, LeadProfile? profile, History history)
    {
        var holdings = new List<Holding>();
        var source = new LeadSource(profile, history);
        foreach (var (order, rule) in model.Rules.Index().Where(entry => entry.Item.Kind == RuleKind.Timed))
        {
            DateTimeOffset? since = null;
            foreach (var instant in Instants(rule.Condition, source, history))
            {
                var holds = rule.Condition.Holds(source, instant);
                if (holds && since is null)
                {
                    since = instant;
                }
                else if (!holds && since is { } start)
                {
                    holdings.Add(Held(rule, order, start, instant));
                    since = null;
                }
            }

            if (since is { } last)
            {
                holdings.Add(Held(rule, order, last, null));
            }
        }

        return holdings.OrderBy(holding => holding.Start).ThenBy(holding => holding.Order).ToArray();

        Holding Held(ScoringRule rule, int order, DateTimeOffset start, DateTimeOffset? end) =>
            new(rule, order, start, end, Evidence.Of(rule.Condition, source, profile, start));
    }

    private static IEnumerable<DateTimeOffset> Instants(Condition condition, LeadSource source, History history)
    {
        if (history.Origin is not { } origin)
        {
            return [];
        }

        var changes = condition.Tallies.SelectMany(history.Changes);
        var ages = condition.Spans.SelectMany(test => source.Get(test.Field).AsTime() is { } time
            ? new[] { time, TallyTimes.Later(time, test.Span) }
            : []);
        return changes.Concat(ages).Where(instant => instant > origin && instant < DateTimeOffset.MaxValue)
            .Append(origin).Distinct().Order();
    }
}
