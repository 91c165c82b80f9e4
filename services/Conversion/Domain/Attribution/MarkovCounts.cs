namespace Lifecycle.Conversion.Domain.Attribution;

/// <summary>
/// How often each step of the chain was taken, counted path by path, so that any number of paths needs the memory of their distinct steps
/// only. A channel that follows itself stays where it is: self-loops are no steps, so that a visit repeated changes no removal effect.
/// </summary>
public sealed class MarkovCounts
{
    private readonly List<string> groups = [];
    private readonly Dictionary<string, int> states = new(StringComparer.Ordinal);
    private readonly Dictionary<(int From, int To), double> steps = [];
    private readonly Dictionary<int, (double Conversions, double Nulls)> ends = [];

    /// <summary>In order of first appearance.</summary>
    public IReadOnlyList<string> Groups => groups;

    public bool HasConversions { get; private set; }

    /// <summary>Counts a path; one that neither converted nor failed says nothing.</summary>
    public void Add(IReadOnlyList<PathTouch> touches, long conversions, long nulls)
    {
        double weight = conversions + nulls;
        if (weight == 0)
        {
            return;
        }

        HasConversions |= conversions > 0;
        var from = 0;
        foreach (var touch in touches)
        {
            if (!states.TryGetValue(touch.Group, out var to))
            {
                groups.Add(touch.Group);
                states[touch.Group] = to = groups.Count;
            }

            if (to != from)
            {
                steps[(from, to)] = steps.GetValueOrDefault((from, to)) + weight;
                from = to;
            }
        }

        var (converted, failed) = ends.GetValueOrDefault(from);
        ends[from] = (converted + conversions, failed + nulls);
    }

    /// <summary>I − Q over START (0) and the groups, and each state's chance to convert next.</summary>
    public (double[,] System, double[] Conversion) Chain()
    {
        var size = groups.Count + 1;
        var totals = new double[size];
        foreach (var ((from, _), weight) in steps)
        {
            totals[from] += weight;
        }

        foreach (var (from, (converted, failed)) in ends)
        {
            totals[from] += converted + failed;
        }

        var (system, conversion) = (new double[size, size], new double[size]);
        for (var state = 0; state < size; state++)
        {
            system[state, state] = 1;
            conversion[state] = ends.GetValueOrDefault(state).Conversions / totals[state];
        }

        foreach (var ((from, to), weight) in steps)
        {
            system[from, to] -= weight / totals[from];
        }

        return (system, conversion);
    }
}
