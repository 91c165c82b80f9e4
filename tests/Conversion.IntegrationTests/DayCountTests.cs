using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Features.CountDays;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>What is counted by day, and the paths of journeys, say the same as the rows that they were made of.</summary>
public sealed class DayCountTests : IAsyncLifetime
{
    private const int Leads = 60;

    private const string Days =
        """
        select line from (
          select concat_ws(' ', 'lead', day, source_key, capture_type, sum(leads)) as line from lead_day group by day, source_key, capture_type having sum(leads) <> 0
          union all
          select concat_ws(' ', 'stay', day, source_key, stage, sum(entered)) from stay_day group by day, source_key, stage having sum(entered) <> 0) part
        order by line
        """;

    private const string Counted =
        """
        select line from (
          select concat_ws(' ', 'lead', (create_time at time zone 'UTC')::date, source_key, capture_type, count(*)) as line from lead_fact
          group by (create_time at time zone 'UTC')::date, source_key, capture_type
          union all
          select concat_ws(' ', 'stay', (enter_time at time zone 'UTC')::date, source_key, stage, count(*)) from stage_stay where counts and previous_time is null
          group by (enter_time at time zone 'UTC')::date, source_key, stage) part
        order by line
        """;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Guid workspace = Guid.CreateVersion7();
    private readonly Guid[] leads = Enumerable.Range(0, Leads).Select(_ => Guid.CreateVersion7()).ToArray();
    private TestDatabase database = null!;
    private UnitOfWork<ConversionDbContext> work = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<ConversionDbContext>("conversion");
        work = database.UnitOfWork<ConversionDbContext>();
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Days_AfterMovesMergesAndNewProfiles_AreThoseOfTheFactsBeforeAndAfterAddingUp()
    {
        await Live(new Random(20261122));
        var counted = await Lines(Counted);
        Assert.True(counted.Length > 50, $"{counted.Length} days");
        Assert.Equal(counted, await Lines(Days));

        await new CountDays(work).Handle(workspace, CancellationToken.None);

        Assert.Equal(counted, await Lines(Days));
        Assert.Equal(0L, await database.Scalar<long>("select count(*) from lead_day where loose") + await database.Scalar<long>(
            "select count(*) from stay_day where loose"));
        Assert.Equal(
            await database.Scalar<long>("select count(*) from (select 1 from lead_day group by day, source_key, capture_type) part"),
            await database.Scalar<long>("select count(*) from lead_day"));
    }

    [Fact]
    public async Task Rebuild_OfDaysAlteredByHand_PutsThemRight()
    {
        await Live(new Random(5));
        var counted = await Lines(Counted);
        await database.Query("update lead_day set leads = leads + 1 where day < '2026-02-01'");
        await database.Query("delete from stay_day where stage = 3");

        Assert.True((await new RebuildReports(work).Handle(workspace, _ => Task.CompletedTask, CancellationToken.None)).Corrected > 0);
        Assert.Equal(counted, await Lines(Days));
        Assert.Equal(0, (await new RebuildReports(work).Handle(workspace, _ => Task.CompletedTask, CancellationToken.None)).Corrected);
    }

    [Theory]
    [InlineData("UTC", Kernel.Granularity.Month)]
    [InlineData("Asia/Kathmandu", Kernel.Granularity.Month)]
    [InlineData("America/New_York", Kernel.Granularity.Week)]
    [InlineData("Pacific/Chatham", Kernel.Granularity.Day)]
    public async Task Reports_OfAnyZoneAndGranularity_CountWhatTheFactsSay(string zone, Kernel.Granularity granularity)
    {
        await Live(new Random(3));
        var period = ReportPeriod.Create("2026-01-03", "2026-03-20", granularity, TimeZoneInfo.FindSystemTimeZoneById(zone)).Value;
        foreach (var dimensions in new string[][] { [], ["campaign"], ["channel", "landingPage"] })
        {
            var cut = Cut.Of(period.Granules, dimensions);
            var entered = await work.Read(workspace, tx => ReportData.Entered(tx, cut, Stage.Mql, Stage.Sql), CancellationToken.None);
            var raw = await work.Read(workspace, tx => ReportData.Entries(tx, cut, false, Stage.Mql, Stage.Sql), CancellationToken.None);
            Assert.NotEmpty(raw);
            Assert.Equal(
                raw.Where(entry => entry.Entered > 0).Select(entry => $"{entry.Granule} {entry.Grp} {entry.Number} {entry.Entered}")
                    .Order(StringComparer.Ordinal),
                entered.Select(entry => $"{entry.Granule} {entry.Grp} {entry.Number} {entry.Entered}").Order(StringComparer.Ordinal));

            var group = GroupKeys.Sql("d", dimensions);
            var expected = await database.Query(
                $"""
                select width_bucket(f.create_time, $1) - 1, {group}, count(*), count(*) filter (where f.capture_type = 'FORM'), count(*) filter (where f.capture_type = 'CALL')
                from lead_fact f join lead_source d using (workspace_id, source_key) where f.create_time >= $2 and f.create_time < $3 group by 1, 2
                """,
                cut.From, cut.From[0], cut.To[^1]);
            var counted = await work.Read(workspace, tx => ReportData.Leads(tx, cut), CancellationToken.None);
            Assert.Equal(
                expected.Select(row => string.Join(' ', row)).Order(StringComparer.Ordinal),
                counted.Select(row => $"{row.Granule} {row.Grp} {row.Leads} {row.Forms} {row.Calls}").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Paths_OfJourneys_FollowTheirTouches()
    {
        await database.Query(
            """
            insert into journey (workspace_id, opportunity_id, lead_id, attempts, touches) values ($1, $2, $2, 1, jsonb_build_array(
              jsonb_build_object('channel', 'Direct', 'source', null, 'time', '2026-03-01T10:00:00.123456+00:00'),
              jsonb_build_object('channel', 'Email', 'source', 'news', 'campaign', 'spring', 'landingPage', 'https://a.example/p', 'time', '2026-03-02T10:00:00Z')))
            """,
            workspace, leads[0]);
        var row = await Row();
        var sources = new TouchSources(["channel", "campaign"]);
        await work.Read(workspace, async tx =>
        {
            await sources.Load(tx, [row]);
            return true;
        }, CancellationToken.None);
        Assert.Equal(
            [
                new PathTouch("Direct\u001f", true, new(2026, 3, 1, 10, 0, 0, 123, 456, TimeSpan.Zero)),
                new PathTouch("Email\u001fspring", false, new(2026, 3, 2, 10, 0, 0, TimeSpan.Zero), Milestones.Closed),
            ],
            new JourneyReader(sources, null).Touches(row));

        await work.Run(workspace, tx => JourneyErasure.StripPages(tx, [leads[0]]), CancellationToken.None);
        var stripped = await Row();
        Assert.Equal(row.PathTimes, stripped.PathTimes);
        Assert.Equal(row.PathKeys![0], stripped.PathKeys![0]);
        Assert.NotEqual(row.PathKeys[1], stripped.PathKeys[1]);

        async Task<ConversionRow> Row() =>
            await database.Query("select path_keys, path_times from journey") is [[long[] keys, long[] times]]
                ? new()
                {
                    Id = leads[0],
                    PathKeys = keys,
                    PathTimes = times,
                    State = "WON",
                    CloseTime = Start.AddDays(90),
                    OriginTime = Start
                }
                : throw new InvalidOperationException("There is no path.");
    }

    [Theory]
    [InlineData(AttributionModel.FirstTouch)]
    [InlineData(AttributionModel.Linear)]
    [InlineData(AttributionModel.TimeDecay)]
    [InlineData(AttributionModel.Shapley)]
    [InlineData(AttributionModel.Markov)]
    public async Task Totals_OfAnyModel_AreThoseOfEachPointByItself(AttributionModel model)
    {
        var request = new GetReportRequest
        {
            From = "2026-01-01",
            To = "2026-05-01",
            Granularity = Common.V1.Granularity.Month,
            Model = model,
            GroupBy = { "campaign" }
        };
        var query = ReportQuery.Parse(request, Caller.Service("test", workspace, currencyCode: "USD")).Value;
        var sources = new TouchSources(["campaign"]);
        var journeys = new JourneyReader(sources, null);
        var random = new Random(17);
        await database.Query(
            "insert into lead_source select $1, n, case n when 1 then 'Direct' else 'Email' end, 'news', '', 'campaign ' || n % 4, '', '' from generate_series(1, 7) n",
            workspace);
        var rows = Enumerable.Range(0, 2500).Select(index => new ConversionRow
        {
            Id = Guid.CreateVersion7(),
            OpportunityId = Guid.CreateVersion7(),
            LeadId = Guid.CreateVersion7(),
            State = index % 5 == 0 ? "LOST" : "WON",
            Amount = random.Next(1, 100_000) / 100m,
            OriginTime = Start.AddDays(random.Next(-500, 110)),
            CreateTime = Start.AddDays(-10),
            CloseTime = Start.AddDays(random.Next(-5, 125)),
            IsFirst = index % 3 > 0,
            SourceKey = random.Next(1, 8),
            PathKeys = index % 7 == 0 ? null : [.. Enumerable.Range(0, 1 + (index % 5)).Select(_ => random.NextInt64(1, 8))],
            PathTimes = index % 7 == 0
                ? null
                : [.. Enumerable.Range(0, 1 + (index % 5)).Select(touch => (Start.AddDays(touch) - DateTimeOffset.UnixEpoch).Ticks / 10)],
        }).ToArray();
        await work.Read(workspace, async tx =>
        {
            await sources.Load(tx, rows);
            return true;
        }, CancellationToken.None);

        var totals = CreditTotals.Of(query, rows, journeys);

        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            var point = query.Granules[granule];
            bool IsIn(DateTimeOffset time) => time >= point.From && time < point.To;
            var lost = rows.Where(row => row.State == "LOST" && IsIn(row.CloseTime)).Select(journeys.Touches).ToArray();
            Assert.Equal(Sums(row => IsIn(row.CloseTime)), Told(totals.Won(granule)));
            Assert.Equal(Sums(row => IsIn(row.CloseTime) && row.IsFirst), Told(totals.FirstWon(granule)));
            Assert.Equal(Sums(row => IsIn(row.OriginTime) && row.CloseTime < row.OriginTime.AddYears(1)), Told(totals.YearWon(granule)));

            string[] Sums(Func<ConversionRow, bool> isOf) => Told(AttributionCredits.Credit(
                query.Model,
                rows.Where(row => row.State == "WON" && isOf(row))
                    .Select(row => new Deal(journeys.Touches(row), new Money("USD", row.Amount))).ToArray(),
                lost,
                "USD",
                query.HalfLifeDays));
        }
    }

    private static string[] Told(IReadOnlyList<DealCredit> credits) =>
        [.. credits.Select(credit => $"{credit.Group} {Math.Round(credit.Conversions, 9)} {credit.Value}").Order(StringComparer.Ordinal)];

    private async Task<string[]> Lines(string sql) => [.. (await database.Query(sql)).Select(row => (string)row[0]!)];

    /// <summary>Leads come, at any hour, move on and back, change their first touch, merge and are forgotten.</summary>
    private async Task Live(Random random)
    {
        for (var step = 0; step < 500; step++)
        {
            var (time, lead) = (Start.AddMinutes((step * 240) + random.Next(240)), leads[random.Next(Leads)]);
            await work.Run(workspace, async tx =>
            {
                var row = await StageLedger.Lock(tx, lead);
                switch (random.Next(10))
                {
                    case 0 or 1 or 2:
                        var touch = new Contracts.TouchInfo(
                            random.Next(2) == 0 ? "Email" : "Direct", "news", null, $"campaign {random.Next(3)}", null,
                            $"https://a.example/p{random.Next(2)}", null, time, null);
                        await LeadFacts.Capture(
                            tx, row, new(random.Next(5), "a@example.com", null, random.Next(2) == 0 ? "FORM" : "CALL", null, time, touch));
                        break;
                    case 3:
                        await LeadIdentity.Merge(tx, new(Guid.CreateVersion7(), workspace, time, 1, lead, leads[random.Next(Leads)]));
                        break;
                    case 4 when random.Next(3) == 0:
                        await LeadIdentity.Erase(tx, lead);
                        break;
                    default:
                        if (row.Captured)
                        {
                            var reason = StageReasons.All.ElementAt(random.Next(StageReasons.All.Count));
                            _ = await StageLedger.Move(tx, row, new((Stage)random.Next(2, 7), reason, time), new("key:test"));
                        }

                        break;
                }
            }, CancellationToken.None);
        }
    }
}
