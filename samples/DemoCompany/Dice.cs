namespace DemoCompany;

/// <summary>
/// Random numbers that the keys alone decide, so that every visitor, lead and customer has a fate of their own, whatever the order in which
/// they are asked. SplitMix64 (Steele, Lea, Flood 2014).
/// </summary>
internal sealed class Dice
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    private ulong state;

    public Dice(params ReadOnlySpan<ulong> keys)
    {
        foreach (var key in keys)
        {
            state = Mix(state + Step + key);
        }
    }

    /// <summary>Evenly from [0, 1).</summary>
    public double Next() => (Mix(state += Step) >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Next() < probability;

    /// <summary>Evenly from 0 to <paramref name="count"/> − 1.</summary>
    public int Below(int count) => (int)(Next() * count);

    public double Between(double low, double high) => low + ((high - low) * Next());

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>One choice by weight; at least one weight is above 0.</summary>
    public T Pick<T>(IReadOnlyList<T> choices, Func<T, double> weight)
    {
        var left = Next() * choices.Sum(weight);
        foreach (var choice in choices)
        {
            left -= weight(choice);
            if (left < 0)
            {
                return choice;
            }
        }

        return choices.Last(choice => weight(choice) > 0);
    }

    public double Exponential(double mean) => -mean * Math.Log(1 - Next());

    public double LogNormal(double median, double sigma) =>
        median * Math.Exp(sigma * Math.Sqrt(-2 * Math.Log(1 - Next())) * Math.Cos(2 * Math.PI * Next()));

    /// <summary>How often in a row the chance holds, at most <paramref name="most"/> times.</summary>
    public int Times(double probability, int most)
    {
        var count = 0;
        while (count < most && Chance(probability))
        {
            count++;
        }

        return count;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
