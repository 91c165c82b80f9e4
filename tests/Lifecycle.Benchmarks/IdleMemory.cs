namespace Lifecycle.Benchmarks;

/// <summary>Resident memory of each process of the suite after the start, before any work.</summary>
internal sealed class IdleMemory : Benchmark
{
    public override string Name => "idle-memory";

    public override string Summary => "resident memory of the gateway and each service after the start";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("capture", "scoring", "nurture", "conversion", "retention");
        foreach (var process in suite.Processes)
        {
            run.AtMost($"{process.Name} idle", BenchmarkSuite.Megabytes(process), "MB", 150);
        }
    }
}
