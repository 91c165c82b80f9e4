using Lifecycle.Nurture.Domain.Segments;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>What the judging of some leads came to.</summary>
internal sealed class MembershipChanges
{
    public List<(Guid Segment, Guid Lead)> Entered { get; } = [];

    public List<(Guid Segment, Guid Lead)> Left { get; } = [];

    public List<(Guid Segment, Guid Lead, DateTimeOffset Due)> Timers { get; } = [];

    public void Add(Guid lead, SegmentVerdict verdict)
    {
        foreach (var segment in verdict.Entered)
        {
            Entered.Add((segment, lead));
        }

        foreach (var segment in verdict.Left)
        {
            Left.Add((segment, lead));
        }

        foreach (var (segment, due) in verdict.Timers)
        {
            Timers.Add((segment, lead, due));
        }
    }

    public void Add(MembershipChanges more)
    {
        Entered.AddRange(more.Entered);
        Left.AddRange(more.Left);
        Timers.AddRange(more.Timers);
    }

    /// <summary>The segments that each lead came into, where there are any, in the order in which they were judged.</summary>
    public IReadOnlyDictionary<Guid, IReadOnlyList<Guid>> ByLead() => Entered.GroupBy(change => change.Lead, change => change.Segment)
        .ToDictionary(lead => lead.Key, lead => (IReadOnlyList<Guid>)[.. lead]);
}
