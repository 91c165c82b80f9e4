using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>What triggers keep for the reports is what the ledger says, whatever happened in between.</summary>
public sealed class FactTests : IAsyncLifetime
{
    private const int Leads = 40;
    private const int Steps = 600;

    private const string Facts =
        """
        select fact from (
          select 'stay ' || s as fact from stage_stay s union all select 'lead ' || f from lead_fact f union all select 'deal ' || f from deal_fact f) part
        order by fact
        """;

    /// <summary>The same counts from the ledger itself, without the facts.</summary>
    private const string Ledger =
        """
        with rank as (select array['LEAD', 'MQL', 'SQL', 'OPPORTUNITY', 'CUSTOMER', 'ADVOCATE'] as ranks)
        select width_bucket(c.time, $1) - 1, coalesce(p.campaign, ''), c.to_stage, count(distinct p.lead_id),
          count(distinct p.lead_id) filter (where later.furthest > array_position(ranks, c.to_stage)),
          count(distinct p.lead_id) filter (where later.furthest >= 5), count(*) filter (where c.reason = 'RECYCLED')
        from rank, stage_change c
        join lead l on l.workspace_id = c.workspace_id and l.lead_id = c.lead_id
        join lead p on p.workspace_id = l.workspace_id and p.lead_id = coalesce(l.merged_into, l.lead_id)
        left join lateral (
          select max(array_position(rank.ranks, d.to_stage)) as furthest from rank, stage_change d
          where d.workspace_id = c.workspace_id
            and ((d.lead_id = c.lead_id and d.version > c.version) or (d.lead_id = l.merged_into and d.time >= c.time))) later on true
        where c.time >= $2 and c.time < $3 and c.reason <> 'MERGED' group by 1, 2, 3
        """;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Guid workspace = Guid.CreateVersion7();
    private readonly Guid[] leads = Enumerable.Range(0, Leads).Select(_ => Guid.CreateVersion7()).ToArray();
    private readonly List<Guid> deals = [];
    private TestDatabase database = null!;
    private UnitOfWork<ConversionDbContext> work = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<ConversionDbContext>("conversion");
        work = database.UnitOfWork<ConversionDbContext>();
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Facts_AfterManyChangesMergesAndErasures_AreWhatTheLedgerSays()
    {
        await Live(new Random(20260302));
        var kept = await database.Query(Facts);

        var rebuilt = await new RebuildReports(work).Handle(workspace, _ => Task.CompletedTask, CancellationToken.None);

        Assert.Equal(kept.Select(row => row[0]), (await database.Query(Facts)).Select(row => row[0]));
        Assert.Equal(0, rebuilt.Corrected);
        Assert.True(rebuilt.People is > 5 and < Leads && rebuilt.Deals == deals.Count, $"{rebuilt}");
    }

    [Fact]
    public async Task Rebuild_OfFactsAlteredByHand_PutsThemRight()
    {
        await Live(new Random(7));
        var kept = await database.Query(Facts);
        await database.Query("delete from stage_stay where stage = 3");
        await database.Query("update lead_fact set source_key = 1");
        await database.Query("update deal_fact set amount = amount + 1");

        var rebuilt = await new RebuildReports(work).Handle(workspace, _ => Task.CompletedTask, CancellationToken.None);

        Assert.True(rebuilt.Corrected > 0);
        Assert.Equal(kept.Select(row => row[0]), (await database.Query(Facts)).Select(row => row[0]));
    }

    [Fact]
    public async Task Entries_AfterManyChangesMergesAndErasures_AreThoseCountedInTheLedger()
    {
        await Live(new Random(11));
        DateTimeOffset[] months = [.. Enumerable.Range(0, 4).Select(month => Start.AddMonths(month))];
        var cut = new Cut(months[..3], months[1..], [], [], ["campaign"]);
        cut = cut with { FirstDay = [new(2026, 1, 1)], LastDay = [new(2026, 4, 1)] };

        var counted = await work.Read(workspace, tx => ReportData.Entries(tx, cut), CancellationToken.None);

        var expected = await database.Query(Ledger, months[..3], months[0], months[3]);
        Assert.NotEmpty(expected);
        Assert.Equal(
            expected.Select(row => string.Join(' ', row)).Order(StringComparer.Ordinal),
            counted.Select(row => $"{row.Granule} {row.Grp} {row.Stage} {row.Entered} {row.WentOn} {row.Bought} {row.Returned}")
                .Order(StringComparer.Ordinal));
    }

    /// <summary>Leads come, move, change their profile, merge, are forgotten; deals open, close and vanish.</summary>
    private async Task Live(Random random)
    {
        for (var step = 0; step < Steps; step++)
        {
            var (time, lead) = (Start.AddHours(step * 4), leads[random.Next(Leads)]);
            await work.Run(workspace, tx => Change(tx, random, lead, time), CancellationToken.None);
        }
    }

    private async Task Change(Transaction<ConversionDbContext> tx, Random random, Guid lead, DateTimeOffset time)
    {
        var row = await StageLedger.Lock(tx, lead);
        switch (random.Next(12))
        {
            case 0 or 1 or 2:
                var touch = new TouchInfo(
                    "Email", "news", null, $"campaign {random.Next(3)}", null,
                    $"https://a.example/p{random.Next(2)}?q=1", null, time, null);
                await LeadFacts.Capture(
                    tx, row, new(random.Next(5), "a@example.com", null, random.Next(2) == 0 ? "FORM" : "CALL", null, time, touch));
                break;
            case 3:
                await LeadIdentity.Merge(tx, new(Guid.CreateVersion7(), workspace, time, 1, lead, leads[random.Next(Leads)]));
                break;
            case 4 when random.Next(4) == 0:
                await LeadIdentity.Erase(tx, lead);
                break;
            case 5 when row.Captured:
                await Open(tx, row, time);
                break;
            case 6 when deals.Count > 0:
                await Close(tx, deals[random.Next(deals.Count)], time, random.Next(2) == 0);
                break;
            default:
                if (row.Captured)
                {
                    var reason = StageReasons.All.ElementAt(random.Next(StageReasons.All.Count));
                    _ = await StageLedger.Move(tx, row, new((Stage)random.Next(2, 10), reason, time), new("key:test"));
                }

                break;
        }
    }

    private async Task Open(Transaction<ConversionDbContext> tx, LeadRow lead, DateTimeOffset time)
    {
        var pipeline = await OpportunityBook.DefaultPipeline(tx);
        var deal = new OpportunityRow
        {
            WorkspaceId = workspace,
            Id = Guid.CreateVersion7(),
            LeadId = lead.LeadId,
            Name = "Deal",
            Amount = 100,
            CurrencyCode = "USD",
            PipelineId = pipeline.Id,
            Stage = "Prospecting",
            CreateTime = time,
        };
        await OpportunityBook.Open(tx, deal, lead, "key:test");
        deals.Add(deal.Id);
    }

    private static async Task Close(Transaction<ConversionDbContext> tx, Guid deal, DateTimeOffset time, bool isWon)
    {
        if (await OpportunityBook.Lock(tx, deal) is not { Row: { State: OpportunityState.Open } row } locked)
        {
            return;
        }

        if (isWon)
        {
            await OpportunityBook.Win(tx, row, locked.Lead, row.Amount, time, "key:test");
        }
        else
        {
            await OpportunityBook.Lose(tx, row, locked.Lead, "Price", time, "key:test");
        }
    }
}
