using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.SimulateModel;

/// <summary>What to simulate.</summary>
/// <param name="WorkspaceId">Whose leads.</param>
/// <param name="Draft">The model tried.</param>
/// <param name="Current">The model in force for the same score, or where that is new for <c>default</c>.</param>
/// <param name="From">Start of the period.</param>
/// <param name="To">Its end, exclusive.</param>
/// <param name="SampleSize">How many leads of a kind to list.</param>
internal sealed record SimulationPlan(
    Guid WorkspaceId, StoredModel Draft, StoredModel Current, DateTimeOffset From, DateTimeOffset To, int SampleSize);

/// <summary>
/// Replays a workspace's history by two models: leads page by page in order of id, several pages at a time, so that memory is bounded
/// whatever the history's size. Each model counts as if it had been in force all along and sales had handed nobody back; what a lead does
/// as a customer qualifies it no more.
/// </summary>
/// <param name="work">The database.</param>
/// <param name="plan">What to simulate.</param>
/// <param name="workers">Pages at a time.</param>
internal sealed class Simulation(UnitOfWork<ScoringDbContext> work, SimulationPlan plan, int workers)
{
    private const int PageSize = 500;
    private const string Leads = "create_time < @To and state is not null";
    private readonly Lock gate = new();
    private readonly SimulationTally tally = new(plan.SampleSize);
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private long leads;
    private long total;
    private long activities;

    public SimulationProgress Progress => new()
    {
        Leads = Interlocked.Read(ref leads),
        TotalLeads = Interlocked.Read(ref total),
        Activities = Interlocked.Read(ref activities),
        ElapsedSeconds = Math.Round(clock.Elapsed.TotalSeconds, 3),
    };

    /// <summary>How many leads there are to look at.</summary>
    public async Task<long> Count(CancellationToken ct) => total = await work.Read(
        plan.WorkspaceId,
        tx => tx.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
            $"select count(*) from lead where workspace_id = @WorkspaceId and {Leads}", new { tx.WorkspaceId, plan.To },
            cancellationToken: ct)),
        ct);

    public async Task<SimulateModelResponse> Run(CancellationToken ct)
    {
        await Parallel.ForEachAsync(
            Pages(ct), new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = ct },
            async (page, token) => await Replay(page, token));
        return tally.ToResponse();
    }

    private async IAsyncEnumerable<IReadOnlyList<LeadRow>> Pages([EnumeratorCancellation] CancellationToken ct)
    {
        var last = Guid.Empty;
        for (var more = true; more;)
        {
            var after = last;
            var page = await work.Read(
                plan.WorkspaceId,
                async tx => (await tx.Connection.QueryAsync<LeadRow>(new CommandDefinition(
                    $"""
                    select lead_id, profile, since, create_time, customer_time, adjustments from lead
                    where workspace_id = @WorkspaceId and lead_id > @after and {Leads} order by lead_id limit @PageSize
                    """,
                    new { tx.WorkspaceId, after, plan.To, PageSize }, cancellationToken: ct))).AsList(),
                ct);
            if (page.Count > 0)
            {
                yield return page;
            }

            more = page.Count == PageSize;
            last = more ? page[^1].LeadId : last;
        }
    }

    private async Task Replay(IReadOnlyList<LeadRow> page, CancellationToken ct)
    {
        var (histories, adjustments) = await work.Read(
            plan.WorkspaceId,
            async tx => (
                await ActivityHistory.Read(tx, page.Select(row => row.LeadId).ToArray(), plan.Draft.Model, plan.Current.Model),
                await AdjustmentStore.Read(tx, page)),
            ct);
        var replayed = histories.Values.Sum(history => (long)history.Count);
        var outcomes = page.Select(row => Outcome(row, histories.GetValueOrDefault(row.LeadId) ?? [], adjustments)).ToArray();
        lock (gate)
        {
            tally.Add(outcomes, replayed);
        }

        Interlocked.Add(ref leads, page.Count);
        Interlocked.Add(ref activities, replayed);
    }

    private LeadOutcome Outcome(
        LeadRow row, List<Domain.Activity> history, ILookup<(Guid LeadId, string ScoreName), Adjustment> adjustments)
    {
        var profile = row.Profile is null ? null : JsonSerializer.Deserialize<LeadProfile>(row.Profile, DefaultModel.Json);
        var since = row.Since is "{}"
            ? []
            : JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(row.Since, DefaultModel.Json)!;
        var (draft, current) = (First(plan.Draft), First(plan.Current));
        return new(row.LeadId, draft, current, row.CustomerTime >= plan.From);

        Qualification? First(StoredModel stored)
        {
            Adjustment[] byHand = row.Adjustments > 0 ? [.. adjustments[(row.LeadId, stored.ScoreName)]] : [];
            var sheet = Scorer.Score(
                stored.Model, profile, SinceKeys.Of(since, stored.ScoreName), history, byHand, wordsFrom: DateTimeOffset.MaxValue);
            foreach (var transition in Qualifier.Walk(stored.Model, sheet, row.CreateTime, Standing.New, withReasons: false).Transitions)
            {
                if (transition.Time >= plan.To || transition.Time >= row.CustomerTime)
                {
                    break;
                }

                if (transition.Qualified && transition.Time >= plan.From)
                {
                    return new(transition.Time, transition.Score);
                }
            }

            return null;
        }
    }
}
