using Lifecycle.Conversion.Domain.Attribution;

namespace Lifecycle.Conversion.UnitTests.Attribution;

public sealed class MarkovChainTests
{
    /// <summary>
    /// Paths A→B converts, A ends, B→A→C converts, each once. START → A 2/3, B 1/3. A (3 visits) → B, C, NULL 1/3 each. B (2) → A ½, CONV
    /// ½.
    /// C → CONV. From A: a = b/3 + 1/3, b = a/2 + 1/2 gives a = 3/5, b = 4/5, and P = 2/3·3/5 + 1/3·4/5 = 2/3.
    /// Without A: P = 1/3·1/2 = 1/6, effect 3/4. Without B: a = 1/3, P = 2/9, effect 2/3. Without C: a = b/3, b = a/2 + 1/2, a = 1/5, b =
    /// 3/5, P = 1/3, effect 1/2.
    /// </summary>
    [Fact]
    public void Solve_ThreePaths_GivesTheEffectsSolvedByHand()
    {
        var shares = MarkovChain.Solve([Path(1, 0, "A", "B"), Path(0, 1, "A"), Path(1, 0, "B", "A", "C")]);

        Assert.Equal(["A", "B", "C"], shares.Select(share => share.Group));
        Assert.Equal(
            [0.75, 2 / 3.0, 0.5], shares.Select(share => share.RemovalEffect), (expected, actual) => Math.Abs(expected - actual) < 1e-12);
        Assert.Equal(0.391304m, Math.Round(shares[0].Share, 6));
        Assert.Equal(1m, shares.Sum(share => share.Share));
    }

    [Fact]
    public void Solve_NoPathConverts_CreditsNobody() => Assert.Empty(MarkovChain.Solve([Path(0, 3, "A", "B")]));

    [Fact]
    public void Solve_SameChannelTwiceInARow_ChangesNothing()
    {
        var once = MarkovChain.Solve([Path(2, 1, "A", "B"), Path(1, 4, "B")]);
        var twice = MarkovChain.Solve([Path(2, 1, "A", "A", "B"), Path(1, 4, "B")]);

        Assert.Equal(
            once.Select(share => share.RemovalEffect), twice.Select(share => share.RemovalEffect),
            (one, two) => Math.Abs(one - two) < 1e-12);
    }

    [Fact]
    public void Solve_AnyPaths_AgreesWithRemovingEachGroupInTurn()
    {
        TouchPath[] paths = [Path(3, 5, "A", "B", "C"), Path(1, 2, "C", "A"), Path(2, 0, "B"), Path(0, 7, "A", "C", "A", "B")];
        var whole = Probability(paths, null);

        foreach (var share in MarkovChain.Solve(paths))
        {
            Assert.Equal(1 - (Probability(paths, share.Group) / whole), share.RemovalEffect, 9);
        }
    }

    /// <summary>Chance to convert by stepping the chain many times over; visits to <paramref name="removed"/> are lost.</summary>
    private static double Probability(TouchPath[] paths, string? removed)
    {
        var edges = new Dictionary<(string From, string To), double>();
        foreach (var path in paths)
        {
            string[] states = ["(start)", .. path.Touches.Select(touch => touch.Group)];
            foreach (var (from, to) in states.Zip(states.Skip(1)))
            {
                edges[(from, to)] = edges.GetValueOrDefault((from, to)) + path.Conversions + path.Nulls;
            }

            edges[(states[^1], "(conversion)")] = edges.GetValueOrDefault((states[^1], "(conversion)")) + path.Conversions;
            edges[(states[^1], "(null)")] = edges.GetValueOrDefault((states[^1], "(null)")) + path.Nulls;
        }

        var totals = edges.GroupBy(edge => edge.Key.From).ToDictionary(group => group.Key, group => group.Sum(edge => edge.Value));
        var (mass, converted) = (new Dictionary<string, double> { ["(start)"] = 1 }, 0.0);
        for (var step = 0; step < 2_000; step++)
        {
            var next = new Dictionary<string, double>();
            foreach (var ((from, to), weight) in edges)
            {
                var moved = mass.GetValueOrDefault(from) * weight / totals[from];
                converted += to == "(conversion)" ? moved : 0;
                next[to] = next.GetValueOrDefault(to) + (to == removed || to[0] == '(' ? 0 : moved);
            }

            mass = next;
        }

        return converted;
    }

    private static TouchPath Path(long conversions, long nulls, params string[] channels) =>
        new(channels.Select(channel => new PathTouch(channel, false)).ToArray(), conversions, nulls, 0);
}
