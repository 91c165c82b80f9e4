using Lifecycle.Nurture.Domain.Segments;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>Leads that lie together, with all that judging them reads.</summary>
/// <param name="Leads">Those for whom it may change something.</param>
/// <param name="Members">Segments that leads are in, of those that judging reads.</param>
/// <param name="Activities">What leads did, where a condition counts it.</param>
/// <param name="Next">The lead after which there may be more; null: there are none.</param>
internal sealed record LeadPage(
    IReadOnlyList<LeadFacts> Leads, IReadOnlyDictionary<Guid, HashSet<Guid>> Members, ILookup<Guid, LeadActivity> Activities, Guid? Next)
{
    private static readonly int Workers = Math.Min(Environment.ProcessorCount, 4);

    /// <summary>Judges the leads on several processors, while the caller does something else.</summary>
    /// <param name="graph">All segments.</param>
    /// <param name="seeds">Those to judge by.</param>
    /// <param name="zone">The workspace's.</param>
    /// <param name="now">At this instant.</param>
    public Task<MembershipChanges> Judge(
        SegmentGraph graph, IReadOnlyList<SegmentNode> seeds, TimeZoneInfo zone, DateTimeOffset now) => Task.Run(() =>
    {
        var parts = new MembershipChanges[Workers];
        Parallel.For(0, Workers, new ParallelOptions { MaxDegreeOfParallelism = Workers }, part =>
        {
            var changes = new MembershipChanges();
            for (var place = part * Leads.Count / Workers; place < (part + 1) * Leads.Count / Workers; place++)
            {
                var facts = Leads[place];
                var places = Members.TryGetValue(facts.LeadId, out var found) ? found : [];
                var subject = new SegmentSubject(facts, Activities.Count == 0 ? [] : [.. Activities[facts.LeadId]], places, zone);
                changes.Add(facts.LeadId, graph.Judge(subject, places, seeds, now));
            }

            parts[part] = changes;
        });
        var all = parts[0];
        foreach (var part in parts.AsSpan(1))
        {
            all.Add(part);
        }

        return all;
    });
}
