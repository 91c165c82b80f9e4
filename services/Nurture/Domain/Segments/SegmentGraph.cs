using System.Numerics;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Nurture.Domain.Segments;

/// <summary>A segment as it is judged.</summary>
/// <param name="id">Its id.</param>
/// <param name="condition">Null for a static list.</param>
public sealed class SegmentNode(Guid id, Condition? condition)
{
    public Guid Id => id;

    public Condition? Condition => condition;

    /// <summary>Place in the order in which segments are judged: after all that they ask for.</summary>
    public int Rank { get; internal set; }

    /// <summary>Whether it asks for days, which are those of the lead's zone or the workspace's.</summary>
    public bool AsksForDays => condition is { Dates.Count: > 0 };

    /// <summary>Whether time alone can change it.</summary>
    public bool IsTimed { get; } = condition is not null && SegmentReads.IsTimed(condition);

    /// <summary>Whether the sending of mails can change it.</summary>
    public bool CountsMail { get; } = condition is not null && condition.Tallies.Any(SegmentReads.Mail);

    /// <summary>Whether what people do with mails may change it: an opening ends inactivity, and any count may be of it.</summary>
    public bool CountsEngagement { get; } = condition is not null && condition.Tallies.Any(tally => tally.Kind != TallyKind.Visits);
}

/// <summary>What judging a lead came to.</summary>
/// <param name="Entered">Segments that it came into.</param>
/// <param name="Left">Segments that it left.</param>
/// <param name="Timers">When to judge it by a segment anew.</param>
public sealed record SegmentVerdict(
    IReadOnlyList<Guid> Entered, IReadOnlyList<Guid> Left, IReadOnlyList<(Guid Segment, DateTimeOffset Due)> Timers)
{
    public static readonly SegmentVerdict Nothing = new([], [], []);
}

/// <summary>
/// All segments of a workspace, compiled: who asks for whom, and which conditions read what. A change is judged by those segments only that
/// it can affect, and by those that ask for what it flips.
/// </summary>
public sealed class SegmentGraph
{
    private readonly List<SegmentNode> ordered;
    private readonly Dictionary<Guid, SegmentNode> nodes;
    private readonly ILookup<Guid, SegmentNode> dependents;
    private readonly List<(Field Field, SegmentNode[] Readers)> readers;
    private readonly List<(Tally Tally, SegmentNode Reader)> tallies;

    /// <param name="segments">The segments; those that ask for each other in a circle, or for what is not there, are judged last and by
    /// what is known.</param>
    public SegmentGraph(IEnumerable<SegmentNode> segments)
    {
        nodes = segments.ToDictionary(node => node.Id);
        dependents = nodes.Values.Where(node => node.Condition is not null)
            .SelectMany(node => node.Condition!.Segments.Select(asked => (asked, node))).ToLookup(pair => pair.asked, pair => pair.node);
        ordered = Order();
        for (var rank = 0; rank < ordered.Count; rank++)
        {
            ordered[rank].Rank = rank;
        }

        readers = ordered.SelectMany(node => FieldsOf(node).Select(field => (field, node))).GroupBy(pair => pair.field)
            .Select(group => (group.Key, group.Select(pair => pair.node).Distinct().ToArray())).ToList();
        tallies = ordered.SelectMany(node => (node.Condition?.Tallies ?? []).Select(tally => (tally, node))).ToList();
    }

    /// <summary>In the order in which they are judged.</summary>
    public IReadOnlyList<SegmentNode> Ordered => ordered;

    public SegmentNode? Find(Guid id) => nodes.GetValueOrDefault(id);

    /// <summary>Segments that ask for this one.</summary>
    public IEnumerable<SegmentNode> Dependents(Guid id) => dependents[id];

    /// <summary>Segments that read a field whose value differs; <paramref name="before"/> null: all that have a condition.</summary>
    public IReadOnlySet<SegmentNode> AffectedBy(LeadFacts? before, LeadFacts after)
    {
        if (before is null)
        {
            return ordered.Where(node => node.Condition is not null).ToHashSet();
        }

        var affected = new HashSet<SegmentNode>();
        foreach (var (field, nodesOfField) in readers)
        {
            if (!Same(before.Get(field), after.Get(field)))
            {
                affected.UnionWith(nodesOfField);
            }
        }

        // A history begins with the lead: inactivity is measured from then.
        if (before.CreateTime != after.CreateTime)
        {
            affected.UnionWith(tallies.Where(pair => pair.Tally.Kind == TallyKind.Inactive).Select(pair => pair.Reader));
        }

        return affected;
    }

    /// <summary>Segments with a count that one of the activities enters into.</summary>
    public IReadOnlySet<SegmentNode> AffectedBy(LeadFacts facts, IReadOnlyCollection<LeadActivity> activities)
    {
        var affected = new HashSet<SegmentNode>();
        foreach (var (tally, reader) in tallies)
        {
            if (!affected.Contains(reader) && activities.Any(activity => SegmentSubject.Fits(facts, tally, activity)))
            {
                affected.Add(reader);
            }
        }

        return affected;
    }

    /// <summary>Segments, all that ask for them, near or far, and what these ask for: all whose membership judging them may read.</summary>
    public IReadOnlySet<Guid> Reach(IEnumerable<SegmentNode> seeds)
    {
        var (reached, queue) = (new HashSet<Guid>(), new Queue<SegmentNode>(seeds));
        while (queue.TryDequeue(out var node))
        {
            if (reached.Add(node.Id))
            {
                foreach (var dependent in dependents[node.Id])
                {
                    queue.Enqueue(dependent);
                }
            }
        }

        reached.UnionWith(reached.SelectMany(id => nodes[id].Condition?.Segments ?? new HashSet<Guid>()).ToList());
        return reached;
    }

    /// <summary>Judges a lead by the segments given, and by all that ask for what changes.</summary>
    /// <param name="subject">The lead.</param>
    /// <param name="members">Segments that it is in, which the subject reads; changed to what they are afterwards.</param>
    /// <param name="seeds">Segments to judge.</param>
    /// <param name="now">At this instant.</param>
    public SegmentVerdict Judge(SegmentSubject subject, ISet<Guid> members, IEnumerable<SegmentNode> seeds, DateTimeOffset now)
    {
        // One bit for each segment by rank: most judgements are of many segments and move the lead in none.
        var words = (ordered.Count + 63) / 64;
        var pending = words <= 16 ? stackalloc ulong[words] : new ulong[words];
        pending.Clear();
        foreach (var seed in seeds)
        {
            pending[seed.Rank / 64] |= 1UL << (seed.Rank % 64);
        }

        List<Guid>? entered = null;
        List<Guid>? left = null;
        List<(Guid, DateTimeOffset)>? timers = null;
        for (var word = 0; word < words; word++)
        {
            while (pending[word] != 0)
            {
                var rank = (word * 64) + BitOperations.TrailingZeroCount(pending[word]);
                pending[word] &= pending[word] - 1;
                var node = ordered[rank];
                if (node.Condition is not { } condition)
                {
                    continue;
                }

                if (node.IsTimed && subject.NextChange(condition, now) is { } due)
                {
                    (timers ??= []).Add((node.Id, due));
                }

                var holds = condition.Holds(subject, now);
                if (holds ? !members.Add(node.Id) : !members.Remove(node.Id))
                {
                    continue;
                }

                (holds ? entered ??= [] : left ??= []).Add(node.Id);
                foreach (var dependent in dependents[node.Id])
                {
                    // Only in a circle, which no write lets in, could one come before.
                    if (dependent.Rank > rank)
                    {
                        pending[dependent.Rank / 64] |= 1UL << (dependent.Rank % 64);
                    }
                }
            }
        }

        return entered is null && left is null && timers is null ? SegmentVerdict.Nothing : new(entered ?? [], left ?? [], timers ?? []);
    }

    /// <summary>
    /// The way from a segment back to itself, first and last being the same; null where there is none.
    /// </summary>
    /// <param name="start">The segment.</param>
    /// <param name="asks">For whom each segment asks.</param>
    public static IReadOnlyList<Guid>? Cycle(Guid start, Func<Guid, IEnumerable<Guid>> asks)
    {
        var (seen, way) = (new HashSet<Guid>(), new List<Guid> { start });
        return Walk(start) ? way : null;

        bool Walk(Guid at)
        {
            foreach (var next in asks(at))
            {
                way.Add(next);
                if (next == start || (seen.Add(next) && Walk(next)))
                {
                    return true;
                }

                way.RemoveAt(way.Count - 1);
            }

            return false;
        }
    }

    private static bool Same(FieldValue left, FieldValue right) => left.IsMissing ? right.IsMissing : left == right;

    private static IEnumerable<Field> FieldsOf(SegmentNode node) => node.Condition is not { } condition
        ? []
        : condition.Fields.Concat(condition.Tallies.SelectMany(tally => tally.Condition?.Fields ?? new HashSet<Field>()))
            .Where(field => !SegmentReads.IsOfActivity(field)).Concat(SegmentReads.ZoneFields(condition)).Distinct();

    private List<SegmentNode> Order()
    {
        var (done, order) = (new HashSet<Guid>(), new List<SegmentNode>(nodes.Count));
        foreach (var node in nodes.Values.OrderBy(node => node.Id))
        {
            Visit(node);
        }

        return order;

        void Visit(SegmentNode node)
        {
            if (!done.Add(node.Id))
            {
                return;
            }

            foreach (var asked in node.Condition?.Segments ?? new HashSet<Guid>())
            {
                if (nodes.TryGetValue(asked, out var found))
                {
                    Visit(found);
                }
            }

            order.Add(node);
        }
    }
}
