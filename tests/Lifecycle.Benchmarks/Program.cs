using System.Globalization;
using System.Text.Json;
using Lifecycle.Benchmarks;

Benchmark[] all = [new IngestBatches(), new IngestSingles(), new MetricsOverYear(), new IdleMemory(), new LeadImports(), new LeadReads(),
    new ConversionReports(), new AttributionModels(),
    new AttributionRuns(), new StageMoves(), new RetentionImports(), new RetentionWaterfall(), new RetentionLedgerWrites(),
    new ScoringSimulate(), new ScoringReads(), new ScoringStream(), new ScoringRescore(), new ScoringIdle(), new NurtureSegmentBuild(),
    new NurtureSegmentChanges(), new NurtureDueSteps(), new NurtureSends()];
const string Usage =
    """
    Usage: dotnet run -c Release --project tests/Lifecycle.Benchmarks -- [NAME…] [--list] [--scale N] [--json]

      NAME      runs these; all without one
      --list    names the benchmarks
      --scale   multiplies the amounts of data, e.g. 0.1 for a quick look; limits are meant for 1
      --json    prints the measures as JSON

    Needs the test servers (LIFECYCLE_TEST_POSTGRES and the like, see eng/test-servers) with nothing else running on the machine.
    Ends with 1 when a measure misses what is required of it.
    """;
var names = new List<string>();
var (list, json, scale) = (false, false, 1.0);
for (var index = 0; index < args.Length; index++)
{
    switch (args[index])
    {
        case "--list":
            list = true;
            break;
        case "--json":
            json = true;
            break;
        case "--scale"
            when index + 1 < args.Length && double.TryParse(args[index + 1], CultureInfo.InvariantCulture, out scale) && scale > 0:
            index++;
            break;
        case var name when all.Any(benchmark => benchmark.Name == name):
            names.Add(name);
            break;
        default:
            Console.Error.WriteLine(Usage);
            return 2;
    }
}

if (list)
{
    foreach (var benchmark in all)
    {
        Console.WriteLine($"{benchmark.Name,-16} {benchmark.Summary}");
    }

    return 0;
}

var measures = new List<Measure>();
foreach (var benchmark in all.Where(benchmark => names.Count == 0 || names.Contains(benchmark.Name)))
{
    var run = new BenchmarkRun(benchmark.Name, scale, text => Console.Error.WriteLine($"[{benchmark.Name}] {text}"));
    await benchmark.Run(run);
    measures.AddRange(run.Measures);
    if (!json)
    {
        Measure.Print(Console.Out, run.Measures);
    }
}

if (json)
{
    Console.WriteLine(JsonSerializer.Serialize(measures, JsonSerializerOptions.Web));
}

return measures.Any(measure => measure.Passes == false) ? 1 : 0;
