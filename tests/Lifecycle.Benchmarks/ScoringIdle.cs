using System.Diagnostics;

namespace Lifecycle.Benchmarks;

/// <summary>Fifty workspaces in which nothing happens: how often Scoring asks Postgres nevertheless.</summary>
internal sealed class ScoringIdle : Benchmark
{
    private const int Workspaces = 50;
    // Longer than the pause between looks at every workspace: the first look at each fills Redis.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(75);
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(60);

    public override string Name => "scoring-idle";

    public override string Summary => "transactions per second and processor time of Scoring with 50 workspaces in which nothing happens";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("scoring");
        var database = suite.Database("scoring");
        await database.Query(
            """
            insert into workspace (id, display_name, time_zone, currency_code, version)
            select gen_random_uuid(), 'Idle', 'UTC', 'USD', 1 from generate_series(1, $1::int)
            """,
            Workspaces);
        await Task.Delay(Settling);
        var (commits, processor, clock) = (
            await Commits(), BenchmarkSuite.ProcessorSeconds(suite.Process("Scoring")), Stopwatch.StartNew());
        await Task.Delay(Span);
        var seconds = clock.Elapsed.TotalSeconds;
        run.AtMost("transactions of an idle service", (await Commits() - commits) / seconds, "/s", 10);
        run.Tell(
            "processor time of an idle service",
            (BenchmarkSuite.ProcessorSeconds(suite.Process("Scoring")) - processor) * 1000 / seconds, "ms/s");

        async Task<double> Commits()
        {
            // What a session did is told when it ends its transaction, a second later at most.
            return await database.Scalar<long>(
                "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()");
        }
    }
}
