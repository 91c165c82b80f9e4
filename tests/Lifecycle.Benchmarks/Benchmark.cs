using System.Globalization;

namespace Lifecycle.Benchmarks;

/// <summary>One benchmark: starts what it needs, measures, and leaves nothing behind.</summary>
internal abstract class Benchmark
{
    /// <summary>Name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it does, in one line.</summary>
    public abstract string Summary { get; }

    public abstract Task Run(BenchmarkRun run);
}

/// <summary>Gathers the measures of one benchmark.</summary>
/// <param name="name">The benchmark.</param>
/// <param name="scale">Factor for amounts of data.</param>
/// <param name="say">Tells progress.</param>
internal sealed class BenchmarkRun(string name, double scale, Action<string> say)
{
    private readonly List<Measure> measures = [];

    public IReadOnlyList<Measure> Measures => measures;

    /// <summary>An amount at this run's scale, at least 1.</summary>
    public int Scaled(int amount) => Math.Max((int)(amount * scale), 1);

    public void Say(string text) => say(text);

    /// <summary>A value that tells something and must be nothing.</summary>
    public void Tell(string what, double value, string unit) => measures.Add(new(name, what, value, unit, null, null, null, null));

    public void AtLeast(string what, double value, string unit, double required) =>
        measures.Add(new(name, what, value, unit, null, null, required, null));

    public void AtMost(string what, double value, string unit, double required) =>
        measures.Add(new(name, what, value, unit, null, null, null, required));

    /// <summary>A value held against what the machine does at best, measured in the same run.</summary>
    public void AtLeast(string what, double value, string unit, double limit, double ratio) =>
        measures.Add(new(name, what, value, unit, limit, ratio, null, null));
}

/// <summary>A measured value and what is required of it.</summary>
/// <param name="Benchmark">Where it was measured.</param>
/// <param name="What">What was measured.</param>
/// <param name="Value">The value.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Limit">What the machine does at best, measured in the same run.</param>
/// <param name="RequiredRatio">Least share of the limit.</param>
/// <param name="Least">Least value.</param>
/// <param name="Most">Greatest value.</param>
internal sealed record Measure(
    string Benchmark, string What, double Value, string Unit, double? Limit, double? RequiredRatio, double? Least, double? Most)
{
    public double? Ratio => Limit is > 0 ? Value / Limit : null;

    /// <summary>Null where nothing is required.</summary>
    public bool? Passes => RequiredRatio is null && Least is null && Most is null
        ? null
        : !(Ratio < RequiredRatio) && !(Value < Least) && !(Value > Most);

    public static void Print(TextWriter output, IEnumerable<Measure> measures)
    {
        output.WriteLine($"{"measure",-72} {"value",12} {"unit",-12} {"limit",12} {"ratio",7} {"required",10} result");
        foreach (var measure in measures)
        {
            var required = measure.RequiredRatio is { } ratio ? $">= {ratio:0.00}"
                : measure.Least is { } least ? $">= {least:0.##}" : measure.Most is { } most ? $"<= {most:0.##}" : "";
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{measure.Benchmark + ": " + measure.What,-72} {measure.Value,12:0.##} {measure.Unit,-12} {measure.Limit,12:0.##} {measure.Ratio,7:0.00} {required,10} {measure.Passes switch { true => "pass", false => "MISS", null => "" }}"));
        }
    }
}
