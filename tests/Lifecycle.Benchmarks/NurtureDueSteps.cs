using System.Diagnostics;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>
/// Leads whose wait is over at once, as after a night without the service: each goes through a branch to its next wait, with its visits,
/// its timer and its events. The first warm up. The limit is a bare loop that takes the same rows in the same batches, sets their timers
/// and keeps their visits, over one connection.
/// </summary>
internal sealed class NurtureDueSteps : Benchmark
{
    private const int Batch = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    public override string Name => "nurture-due-steps";

    public override string Summary => "due steps of programs worked off per second";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("nurture");
        var (leads, database) = (run.Scaled(1_000_000), suite.Database("nurture"));
        run.Say($"making {leads} leads and enrollments");
        await NurtureLeads.Fill(suite, leads);
        await suite.Process("Nurture").Stop();
        var program = await Enroll(suite);
        run.Say("working them off");
        var clock = Stopwatch.StartNew();
        await suite.Process("Nurture").Start();
        // Each step has two events.
        var (warmUp, begun) = (WarmUp(leads), await Events(database));
        await Until(async () => await Events(database) - begun >= 2 * warmUp);
        var (times, done) = (await ProcessorTimes.Begin(suite, database), (int)(await Events(database) - begun) / 2);
        // By the head of the queue's index: a count of all rows would take the processor from what is measured.
        await Until(() => database.Scalar<bool>(
            """
            select not exists (
              select 1 from enrollment where workspace_id = $1 and state = 'ACTIVE' and not held and due_time <= now() order by due_time limit 1)
            """,
            suite.WorkspaceId));
        var worked = times.Seconds();
        run.Say($"worked off after {clock.Elapsed.TotalSeconds:0} s");
        await Until(() => database.Scalar<bool>("select not exists (select 1 from outbox)"));
        var told = clock.Elapsed.TotalSeconds;
        var seconds = (double)await database.Scalar<decimal>(
            """
            select extract(epoch from max(leave_time) - min(leave_time)) from (
              select leave_time from step_visit where program_id = $1 and step_id = 'day' and leave_time is not null
              order by leave_time offset $2) measured
            """,
            program, warmUp);
        var rate = (leads - warmUp) / seconds;
        var memory = BenchmarkSuite.PeakMegabytes(suite.Process("Nurture"));
        var limit = await Limit(suite, Math.Max(leads / 5, Batch));
        run.AtLeast("due steps worked off per second, of what a bare loop does", rate, "/s", limit, 0.2);
        run.AtMost("due steps worked off, for 1M", 1_000_000 / rate, "s", 600);
        run.AtMost("peak memory of Nurture", memory, "MB", 400);
        run.Tell("until their events are told, for 1M", told * 1_000_000 / leads, "s");
        ProcessorTimes.Tell(run, worked, leads - done, "step");
    }

    /// <summary>How many of so many come before what is measured: a service that has just started compiles its code.</summary>
    internal static int WarmUp(int all) => Math.Min(20_000, all / 2);

    private static Task<long> Events(TestDatabase database) =>
        database.Scalar<long>("select coalesce(pg_sequence_last_value(pg_get_serial_sequence('outbox', 'seq')), 0)");

    internal static async Task Until(Func<Task<bool>> condition)
    {
        for (var clock = Stopwatch.StartNew(); !await condition(); await Task.Delay(250))
        {
            if (clock.Elapsed > Patience)
            {
                throw new TimeoutException($"It is not done after {Patience}.");
            }
        }
    }

    private static async Task<Guid> Enroll(BenchmarkSuite suite)
    {
        var (database, program) = (suite.Database("nurture"), Guid.CreateVersion7());
        const string Path =
            """
            {"EntryTriggers":[{"trigger":"MANUAL"}],"ExitOnStages":[],"GoalStage":null,"Reentry":"Never",
             "Steps":[{"action":"WAIT","Id":"day","Duration":"1.00:00:00"},
               {"action":"BRANCH","Id":"fits","Condition":"company.employees >= 1000 and lead.stage = 'LEAD'","ElseStepId":"month"},
               {"action":"WAIT","Id":"week","Duration":"7.00:00:00"},{"action":"WAIT","Id":"month","Duration":"30.00:00:00"}]}
            """;
        await database.Query(
            """
            insert into program (workspace_id, id, display_name, state, path, version, create_time, update_time)
            values ($1, $2, 'Waits', 'ACTIVE', $3::jsonb, 1, now(), now())
            """,
            suite.WorkspaceId, program, Path);
        await database.Query(
            """
            with entered as (
              insert into enrollment (workspace_id, id, program_id, lead_id, occurrence, state, path_version, step_id, visit, step_time, due_time, attempts, held,
                version, trigger, enter_time)
              select $1, gen_random_uuid(), $2, lead_id, 1, 'ACTIVE', 1, 'day', 0, now() - interval '25 hours', now() - interval '1 hour', 0, false, 0, 'MANUAL',
                now() - interval '25 hours' from lead
              returning workspace_id, id, program_id, enter_time)
            insert into step_visit (workspace_id, enrollment_id, step_id, visit, program_id, enter_time)
            select workspace_id, id, 'day', 0, program_id, enter_time from entered
            """,
            suite.WorkspaceId, program);
        await database.Query("vacuum analyze enrollment");
        await database.Query("vacuum analyze step_visit");
        return program;
    }

    private static async Task<double> Limit(BenchmarkSuite suite, int leads)
    {
        await suite.Process("Nurture").Stop();
        var database = suite.Database("nurture");
        var clock = Stopwatch.StartNew();
        for (var done = 0; done < leads; done += Batch)
        {
            await database.Query(
                $"""
                with due as (
                  select workspace_id, id, program_id, step_id, visit from enrollment where workspace_id = $1 and state = 'ACTIVE' and not held
                  order by due_time limit {Batch} for update skip locked),
                moved as (
                  update enrollment e set due_time = e.due_time + interval '90 days', visit = e.visit + 1, version = e.version + 1
                  from due where e.workspace_id = due.workspace_id and e.id = due.id)
                insert into step_visit (workspace_id, enrollment_id, step_id, visit, program_id, enter_time)
                select workspace_id, id, 'limit', visit + 1, program_id, now() from due
                """,
                suite.WorkspaceId);
        }

        return leads / clock.Elapsed.TotalSeconds;
    }
}
