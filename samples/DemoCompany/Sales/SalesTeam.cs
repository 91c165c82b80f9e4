using System.Text.Json.Nodes;
using DemoCompany.Market;

namespace DemoCompany.Sales;

/// <summary>A lead that bought.</summary>
internal sealed record Win(Person Person, string LeadId, DateTimeOffset Time, Deal Deal);

/// <summary>Answers the offered leads and works the deals, each at its own time in the past.</summary>
internal sealed class SalesTeam(
    Gateway gateway, Plan plan, string currency, IReadOnlyDictionary<string, Person> people, int connections, Progress progress)
{
    private readonly Dictionary<string, int> rounds = [];
    private readonly HashSet<string> answered = [];
    private readonly List<Win> wins = [];
    private List<string> stages = [];
    private int accepted;
    private int returned;
    private int opened;
    private int lost;

    public IReadOnlyList<Win> Wins => wins;

    public override string ToString() =>
        $"{accepted:N0} leads accepted, {returned:N0} handed back, {opened:N0} deals opened, {wins.Count:N0} won, {lost:N0} lost";

    /// <summary>Answers every hand-off not looked at yet.</summary>
    /// <returns>How many were new.</returns>
    public async Task<int> AnswerAll(CancellationToken ct)
    {
        if (stages.Count == 0)
        {
            var pipelines = await gateway.List("/v1/pipelines", "pipelines", ct);
            var pipeline = pipelines.Find(one => one["isDefault"]?.GetValue<bool>() == true) ?? pipelines[0];
            stages = pipeline["stages"]!.AsArray().Select(stage => stage!.Text("name")).ToList();
        }

        var handoffs = await gateway.List("/v1/handoffs?orderBy=createTime", "handoffs", ct);
        var news = handoffs.Where(handoff => people.ContainsKey(handoff.Text("leadId")) && answered.Add(handoff.Text("id")))
            .Select(handoff => (Handoff: handoff, Round: NextRound(handoff.Text("leadId")))).ToList();
        // One lead's hand-offs follow each other; those of different leads do not wait.
        await Parallel.ForEachAsync(
            news.GroupBy(one => one.Handoff.Text("leadId")),
            new ParallelOptions { MaxDegreeOfParallelism = connections, CancellationToken = ct },
            async (ofLead, stop) =>
            {
                foreach (var (handoff, round) in ofLead)
                {
                    await Answer(handoff, people[ofLead.Key], round, stop);
                    progress.Tick(ToString);
                }
            });
        return news.Count;
    }

    private int NextRound(string leadId) => rounds[leadId] = rounds.GetValueOrDefault(leadId, -1) + 1;

    private async Task Answer(JsonNode handoff, Person person, int round, CancellationToken ct)
    {
        var (id, leadId, fate) = (handoff.Text("id"), handoff.Text("leadId"), Fate.Of(plan, person, round));
        var time = handoff.Time("createTime") + fate.Answer;
        if (fate.Verdict == Verdict.Unanswered || time >= plan.Now)
        {
            return;
        }

        if (fate.Verdict == Verdict.Returned)
        {
            await GiveBack(id, fate, time, ct);
            return;
        }

        await Accept(handoff, fate, time, ct);
        Interlocked.Increment(ref accepted);
        if (fate.Verdict == Verdict.AcceptedThenReturned && time.AddDays(3) < plan.Now)
        {
            await GiveBack(id, fate, time.AddDays(3), ct);
        }

        if (fate.Deal is { } deal && time + deal.Opens < plan.Now)
        {
            await Work(person, leadId, round, fate.Owner, deal, time + deal.Opens, ct);
        }
    }

    private async Task Accept(JsonNode handoff, Fate fate, DateTimeOffset time, CancellationToken ct)
    {
        var id = handoff.Text("id");
        if (handoff.Text("state") == "EXPIRED")
        {
            // The score decayed before sales came to it; they take the lead all the same.
            await gateway.Try(
                $"/v1/leads/{handoff.Text("leadId")}/stage:move",
                new { to = "SQL", reason = "MANUAL", moveTime = time },
                $"demo-take-{id}", ct);
            return;
        }

        await gateway.Try($"/v1/handoffs/{id}:accept", new { owner = fate.Owner, acceptTime = time }, $"demo-accept-{id}", ct);
    }

    private async Task GiveBack(string id, Fate fate, DateTimeOffset time, CancellationToken ct)
    {
        await gateway.Try($"/v1/handoffs/{id}:return", new { reason = fate.Reason, returnTime = time }, $"demo-return-{id}", ct);
        Interlocked.Increment(ref returned);
    }

    private async Task Work(Person person, string leadId, int round, string owner, Deal deal, DateTimeOffset opens, CancellationToken ct)
    {
        var (ends, externalId) = (opens + deal.Lasts, $"deal-{person.Index}-{round}");
        var opportunity = await gateway.Try(
            "/v1/opportunities",
            new
            {
                leadId,
                externalId,
                name = $"{person.Account.Name} – {deal.Product}",
                amount = new { currencyCode = currency, amount = $"{deal.Amount}.00" },
                owner,
                product = deal.Product,
                account = person.Account.Name,
                createTime = opens,
                expectedCloseDate = Plan.Day(ends),
            },
            $"demo-open-{leadId}-{round}", ct) ?? await Known(externalId, ct);
        Interlocked.Increment(ref opened);
        var id = opportunity.Text("id");
        for (var step = 0; step < Math.Min(deal.Steps.Count, stages.Count - 1); step++)
        {
            var advances = opens + (deal.Lasts * deal.Steps[step]);
            if (advances < plan.Now)
            {
                await gateway.Try(
                    $"/v1/opportunities/{id}:advance",
                    new { stage = stages[step + 1], advanceTime = advances },
                    $"demo-advance-{id}-{step}", ct);
            }
        }

        if (ends >= plan.Now)
        {
            return;
        }

        if (deal.IsWon)
        {
            await gateway.Try($"/v1/opportunities/{id}:win", new { closeTime = ends }, $"demo-win-{id}", ct);
            lock (wins)
            {
                wins.Add(new(person, leadId, ends, deal));
            }
        }
        else
        {
            await gateway.Try($"/v1/opportunities/{id}:lose", new { reason = deal.Loss.Reason, closeTime = ends }, $"demo-lose-{id}", ct);
            Interlocked.Increment(ref lost);
            await LetGo(leadId, id, deal.Loss, ends.AddHours(2), ct);
        }
    }

    /// <summary>Of a lost deal's lead: to nurture again, or out for good.</summary>
    private async Task LetGo(string leadId, string dealId, Loss loss, DateTimeOffset time, CancellationToken ct)
    {
        if (loss.Move is { } reason && time < plan.Now)
        {
            var to = reason == "RECYCLED" ? "LEAD" : reason;
            await gateway.Try(
                $"/v1/leads/{leadId}/stage:move", new { to, reason, moveTime = time, note = loss.Reason }, $"demo-let-go-{dealId}", ct);
        }
    }

    private async Task<JsonNode> Known(string externalId, CancellationToken ct) =>
        (await gateway.List(
            $"/v1/opportunities?filter={Uri.EscapeDataString($"externalId = \"{externalId}\"")}", "opportunities", ct))
            .SingleOrDefault()
            ?? throw new GatewayException($"The deal {externalId} could neither be opened nor found.");
}
