using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Features.CountDays;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>The funnel of a whole period, counted from sums, is what the stays themselves say.</summary>
public sealed class CountedStayTests : IAsyncLifetime
{
    private const int Leads = 60;

    private const string Sums =
        """
        select concat_ws(' ', kind, stage, enter_day, end_day, previous_day, place, sum(stays), sum(milliseconds)) as line from (
          select kind, stage, enter_day, end_day, previous_day, place, stays, milliseconds from stay_sum
          union all
          select p.kind, s.stage, p.enter_day, p.end_day, p.previous_day, p.place, s.sign, s.sign * p.milliseconds from stay_loose s
          cross join lateral conversion.stay_parts(s.counts, s.own, s.enter_time, s.previous_time, s.leave_time, s.onward_time) p) part
        group by kind, stage, enter_day, end_day, previous_day, place having sum(stays) <> 0 or sum(milliseconds) <> 0 order by line
        """;

    private const string Stays =
        """
        select concat_ws(' ', p.kind, s.stage, p.enter_day, p.end_day, p.previous_day, p.place, count(*), sum(p.milliseconds)) as line from stage_stay s
        cross join lateral conversion.stay_parts(s.counts, s.person_id is null, s.enter_time, s.previous_time, s.leave_time, s.onward_time) p
        group by p.kind, s.stage, p.enter_day, p.end_day, p.previous_day, p.place order by line
        """;

    /// <summary>What a funnel counts, from the stays alone.</summary>
    private const string Funnel =
        """
        select number, entered, went_on, current, stalled from (
          select s.stage as number, count(*) filter (where entry) as entered,
            count(*) filter (where entry and s.onward_time is not null and (not $6 or s.onward_time < $3)) as went_on,
            count(*) filter (where sits) as current, count(*) filter (where sits and s.enter_time < ($5::timestamptz[])[s.stage]) as stalled
          from stage_stay s
          cross join lateral (select
            s.enter_time >= $2 and s.enter_time < $3 and s.counts and (s.previous_time is null or s.previous_time < $2) as entry,
            s.enter_time < $4 and (s.leave_time is null or s.leave_time >= $4) and s.person_id is null as sits) part
          where s.workspace_id = $1 group by 1) stage
        where entered + current > 0 order by number
        """;

    private const string Lengths =
        """
        select number, leavers, days[1], days[2] from (
          select s.stage as number, count(*) as leavers,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', s.leave_time - s.enter_time) / 86400.0) as days
          from stage_stay s where s.workspace_id = $1 and s.enter_time >= $2 and s.enter_time < $3 and s.leave_time is not null and (not $4 or s.leave_time < $3)
          group by 1) stage
        order by number
        """;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Dictionary<Stage, double> Limits = Enum.GetValues<Stage>().ToDictionary(
        stage => stage, stage => 2.37 * (int)stage);

    private readonly Guid workspace = Guid.CreateVersion7();
    private readonly Guid[] leads = Enumerable.Range(0, Leads).Select(_ => Guid.CreateVersion7()).ToArray();

    /// <summary>Some of what is told lies after the present.</summary>
    private readonly ManualTimeProvider clock = new(new(2026, 3, 15, 13, 37, 11, TimeSpan.Zero));

    private TestDatabase database = null!;
    private UnitOfWork<ConversionDbContext> work = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<ConversionDbContext>("conversion");
        work = database.UnitOfWork<ConversionDbContext>(clock);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Theory]
    [InlineData("UTC")]
    [InlineData("Europe/Berlin")]
    [InlineData("Asia/Kathmandu")]
    [InlineData("Pacific/Chatham")]
    public async Task Funnel_OfAnyPeriodZoneAndView_IsThatOfTheStays(string zone)
    {
        var random = new Random(zone.Length);
        await Live(random, 300);
        await Check(zone);

        await new CountDays(work).Handle(workspace, CancellationToken.None);
        Assert.Equal(0L, await database.Scalar<long>("select count(*) from stay_loose"));
        await Check(zone);

        // Half of it added up, half of it loose.
        await Live(random, 200);
        Assert.NotEqual(0L, await database.Scalar<long>("select count(*) from stay_loose"));
        await Check(zone);
    }

    [Fact]
    public async Task Limits_LearntFromSums_AreNinetiethPercentilesOfTheStaysThatEnded()
    {
        await Live(new Random(8), 400);
        await new CountDays(work).Handle(workspace, CancellationToken.None);
        await Live(new Random(9), 50);
        foreach (var since in new[] { Start.AddDays(-300.4), Start.AddMonths(1), Start.AddDays(50.3) })
        {
            var expected = await database.Query(
                """
                select stage, count(*), percentile_cont(0.9) within group (order by date_part('epoch', leave_time - enter_time) / 86400.0) from stage_stay
                where leave_time >= $1 group by 1 order by 1
                """,
                since);
            var learnt = (await work.Read(workspace, tx => StayLengths.EndedSince(tx, since), CancellationToken.None))
                .OrderBy(stage => stage.Number).ToArray();
            Assert.NotEmpty(learnt);
            Assert.Equal(expected.Select(row => $"{row[0]} {row[1]}"), learnt.Select(stage => $"{stage.Number} {stage.Leavers}"));
            Assert.All(expected.Zip(learnt), pair => AssertNear((double)pair.First[2]!, pair.Second.Ninetieth));
        }
    }

    [Fact]
    public async Task Sums_AlteredByHand_AreMadeAnewAndNotTwice()
    {
        await Live(new Random(5), 300);
        await new CountDays(work).Handle(workspace, CancellationToken.None);
        await Live(new Random(6), 50);
        var expected = await Lines(Stays);
        Assert.Equal(expected, await Lines(Sums));
        Assert.Equal(0, (await new RebuildReports(work).Handle(workspace, _ => Task.CompletedTask, CancellationToken.None)).Corrected);
        Assert.Equal(expected, await Lines(Sums));

        await database.Query("update stay_sum set stays = stays + 1 where kind = 1 and stage = 2");
        await database.Query("delete from stay_sum where kind = 2 and stage = 3");
        await database.Query("update stay_sum set place = place + 1 where kind = 3 and enter_day = '2026-02-01'");
        await database.Query("insert into stay_loose values ($1, '2030-05-05', null, null, null, 4, 1, true, true)", workspace);

        Assert.True((await new RebuildReports(work).Handle(workspace, _ => Task.CompletedTask, CancellationToken.None)).Corrected > 0);
        Assert.Equal(expected, await Lines(Sums));
        Assert.Equal(0, (await new RebuildReports(work).Handle(workspace, _ => Task.CompletedTask, CancellationToken.None)).Corrected);
    }

    private static void AssertNear(double expected, double value) =>
        Assert.True(Math.Abs(expected - value) <= (0.002 * Math.Abs(expected)) + 1e-6, $"{value} is not near {expected}");

    private async Task Check(string zone)
    {
        Assert.Equal(await Lines(Stays), await Lines(Sums));
        foreach (var (from, to) in new[]
        {
            ("2026-01-01", "2026-04-01"), ("2026-01-17", "2026-03-10"), ("2026-02-10", "2026-02-14"), ("2026-02-01", "2026-03-01"),
            ("2025-06-01", "2027-01-01"),
            ("2026-03-01", "2026-03-16"), ("2026-02-20", "2026-03-19"), ("2026-03-14", "2026-03-17"),
        })
        {
            var period = ReportPeriod.Create(from, to, Kernel.Granularity.Year, TimeZoneInfo.FindSystemTimeZoneById(zone)).Value;
            var cut = Cut.Of([new(period.Granules[0].Start, period.Granules[^1].End, period.Granules[0].From, period.Granules[^1].To)], []);
            foreach (var asOfEnd in new[] { false, true })
            {
                await Check($"{zone} {from} {to} {asOfEnd}", cut, asOfEnd);
            }
        }
    }

    private async Task Check(string what, Cut cut, bool asOfEnd)
    {
        var (first, last) = (cut.From[0], cut.To[^1]);
        var now = clock.GetUtcNow();
        var until = last < now ? last : now;
        var expected = await database.Query(
            Funnel, workspace, first, last, until,
            Enumerable.Range(1, 9).Select(stage => StallLimits.Before(until, Limits[(Stage)stage])).ToArray(), asOfEnd);
        var counts = await work.Read(workspace, tx => FunnelWhole.Counts(tx, cut, asOfEnd, Limits), CancellationToken.None);
        Assert.Equal(
            [what, .. expected.Select(row => string.Join(' ', row))],
            [what, .. counts.Where(count => count.Entered + count.Current > 0).OrderBy(count => count.Number).Select(
                count => $"{count.Number} {count.Entered} {count.WentOn} {count.Current} {count.Stalled}")]);

        var lengths = await database.Query(Lengths, workspace, first, last, asOfEnd);
        var days = (await work.Read(workspace, tx => StayLengths.InPeriod(tx, cut, asOfEnd), CancellationToken.None))
            .OrderBy(stage => stage.Number).ToArray();
        Assert.Equal(
            [what, .. lengths.Select(row => $"{row[0]} {row[1]}")], [what, .. days.Select(stage => $"{stage.Number} {stage.Leavers}")]);
        foreach (var (exact, stage) in lengths.Zip(days))
        {
            AssertNear((double)exact[2]!, stage.Median);
            AssertNear((double)exact[3]!, stage.Ninetieth);
        }
    }

    private async Task<string[]> Lines(string sql) => [.. (await database.Query(sql)).Select(row => (string)row[0]!)];

    /// <summary>Leads come, at any hour and sometimes long ago, move on and back, merge and are forgotten.</summary>
    private async Task Live(Random random, int steps)
    {
        for (var step = 0; step < steps; step++)
        {
            var (time, lead) = (Start.AddMinutes((step * 80_000.0 / steps * 1.5) + random.Next(240)), leads[random.Next(Leads)]);
            await work.Run(workspace, async tx =>
            {
                var row = await StageLedger.Lock(tx, lead);
                switch (random.Next(12))
                {
                    case 0 or 1 or 2:
                        var touch = new Contracts.TouchInfo(
                            "Email", "news", null, $"campaign {random.Next(3)}", null,
                            $"https://a.example/p{random.Next(2)}", null, time, null);
                        await LeadFacts.Capture(tx, row, new(random.Next(5), "a@example.com", null, "FORM", null, Late(), touch));
                        break;
                    case 3:
                        await LeadIdentity.Merge(tx, new(Guid.CreateVersion7(), workspace, Late(), 1, lead, leads[random.Next(Leads)]));
                        break;
                    case 4 when random.Next(3) == 0:
                        await LeadIdentity.Erase(tx, lead);
                        break;
                    default:
                        if (row.Captured)
                        {
                            var reason = StageReasons.All.ElementAt(random.Next(StageReasons.All.Count));
                            _ = await StageLedger.Move(tx, row, new((Stage)random.Next(2, 10), reason, Late()), new("key:test"));
                        }

                        break;
                }
            }, CancellationToken.None);

            DateTimeOffset Late() => random.Next(5) == 0 ? time.AddMinutes(-random.Next(40_000)) : time;
        }
    }
}
