using System.Globalization;
using System.Runtime.InteropServices;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>Processor time by process, and that of the whole machine, since a moment: what an item costs, and where.</summary>
internal sealed class ProcessorTimes
{
    private const double TicksPerSecond = 100;
    private const string Machine = "whole machine";
    private const string Others = "everything else";

    private readonly BenchmarkSuite suite;
    private readonly int? postmaster;
    private readonly Dictionary<string, double> begun;

    private ProcessorTimes(BenchmarkSuite suite, int? postmaster)
    {
        (this.suite, this.postmaster) = (suite, postmaster);
        begun = Read();
    }

    /// <summary>Counts from now on.</summary>
    /// <param name="suite">Whose processes.</param>
    /// <param name="database">Any database of the Postgres server.</param>
    public static async Task<ProcessorTimes> Begin(BenchmarkSuite suite, TestDatabase database)
    {
        var session = await database.Scalar<int>("select pg_backend_pid()");
        return new(suite, Fields(session) is { } fields ? int.Parse(fields[1], CultureInfo.InvariantCulture) : null);
    }

    /// <summary>
    /// Seconds of each process so far. Postgres is all of its processes, the log and clean-up among them; absent where it runs elsewhere.
    /// What none of them took is the broker's, the kernel's, and that of whatever else runs: where it is much, the machine was not quiet
    /// and the figures say little.
    /// </summary>
    public IReadOnlyDictionary<string, double> Seconds()
    {
        var seconds = Read().ToDictionary(pair => pair.Key, pair => pair.Value - begun.GetValueOrDefault(pair.Key));
        if (seconds.TryGetValue(Machine, out var machine))
        {
            seconds[Others] = machine - seconds.Where(pair => pair.Key != Machine).Sum(pair => pair.Value);
        }

        return seconds;
    }

    /// <summary>Adds the times of so many items to the measures.</summary>
    public static void Tell(BenchmarkRun run, IReadOnlyDictionary<string, double> seconds, int items, string what)
    {
        foreach (var (name, time) in seconds)
        {
            run.Tell($"{name}'s processor time", time * 1e6 / items, $"us/{what}");
        }
    }

    private Dictionary<string, double> Read()
    {
        var times = new Dictionary<string, double> { ["load generator"] = Environment.CpuUsage.TotalTime.TotalSeconds };
        foreach (var process in suite.Processes)
        {
            times[process.Name] = BenchmarkSuite.ProcessorSeconds(process);
        }

        if (postmaster is { } parent && Fields(parent) is { } own)
        {
            // Sessions that have ended count with their parent.
            times["Postgres"] = (Sum(own, 11, 4) + Children(parent).Sum(fields => Sum(fields, 11, 2))) / TicksPerSecond;
        }

        if (RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
        {
            var machine = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            times[Machine] =
                new[] { 1, 2, 3, 6, 7 }.Sum(index => long.Parse(machine[index], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }

        return times;
    }

    private static IEnumerable<string[]> Children(int parent) => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) ? Fields(id) : null)
        .OfType<string[]>().Where(fields => fields[1] == $"{parent}");

    private static long Sum(string[] fields, int first, int count) =>
        fields.AsSpan(first, count).ToArray().Sum(field => long.Parse(field, CultureInfo.InvariantCulture));

    // What follows the name in /proc/{id}/stat: state, parent, …; null for a process that is not (or no longer) here.
    private static string[]? Fields(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
