using System.Text.Json.Nodes;
using DemoCompany.Customers;
using DemoCompany.Market;
using DemoCompany.Sales;
using DemoCompany.Traffic;

namespace DemoCompany;

/// <summary>The whole load, in the order in which a company lives: visits, qualification, sales, customers.</summary>
internal sealed class Load(Arguments arguments, Progress progress)
{
    private readonly Plan plan = arguments.Plan;

    public async Task Run(CancellationToken ct)
    {
        progress.Say($"{plan.Visitors:N0} visitors from {plan.From} to {Plan.Day(plan.Now)}, seed {plan.Seed}");
        var key = arguments.WorkspaceKey ?? await new WorkspaceMaker(arguments, progress).Make(ct);
        using var gateway = new Gateway(arguments.Gateway, key, TimeProvider.System);
        var reports = new Reports(gateway, plan);
        var currency = await reports.Currency(ct);
        var model = await HoldScores(gateway, ct);

        var sent = await new Sender(gateway, plan, arguments.Connections, progress).Run(ct);
        var spend = await gateway.Import("/v1/spend:import", sent.SpendCsv, ct);
        progress.Say($"{spend.Number("created"):N0} rows of spend, {spend.Number("unchanged"):N0} known already");

        await AwaitQualified(reports, sent.People.Count, ct);
        var people = await Identify(gateway, sent.People, ct);
        var sales = new SalesTeam(gateway, plan, currency, people, arguments.Connections, progress);
        while (await sales.AnswerAll(ct) > 0)
        {
            // A lead handed back may qualify again by what it did later.
            await AwaitQualified(reports, sent.People.Count, ct);
        }

        progress.Say(sales.ToString());
        var customers = new CustomerBase(gateway, plan, people, arguments.Connections, progress);
        await customers.Load(sales.Wins, ct);
        progress.Say(customers.ToString());
        await gateway.Put("/v1/scoring/model", model, "demo-model-ageing", ct);
        progress.Say("scores age again; offered leads that nobody took cool down");
        await reports.Print(key, progress, ct);
    }

    /// <summary>
    /// Lets no score age while the past is filled in: a lead that qualified months ago would cool down before sales, who act as of then,
    /// could answer.
    /// </summary>
    /// <returns>The model to put into force afterwards.</returns>
    private static async Task<JsonNode> HoldScores(Gateway gateway, CancellationToken ct)
    {
        var model = (JsonObject)await gateway.Get("/v1/scoring/model", ct);
        foreach (var name in new[] { "version", "createTime", "actor" })
        {
            model.Remove(name);
        }

        var ageless = model.DeepClone().AsObject();
        ageless.Remove("categoryHalfLives");
        await gateway.Put("/v1/scoring/model", ageless, "demo-model-ageless", ct);
        // A load that broke off has left the ageless model behind.
        model["categoryHalfLives"] ??= new JsonObject { ["behavior"] = "30d" };
        return model;
    }

    /// <summary>Waits until all leads stand in the ledger and no more of them qualify.</summary>
    private async Task AwaitQualified(Reports reports, int expected, CancellationToken ct)
    {
        const int Calm = 4;
        var (last, calm) = (-1.0, 0);
        await progress.Until(
            async () =>
            {
                // Nurture counts each time that a lead qualifies, and learns of it last.
                var (leads, qualified) = (await reports.Leads(ct), await reports.Sum("nurture", "mqls", ct));
                calm = leads >= expected && qualified == last ? calm + 1 : 0;
                last = qualified;
                return (calm >= Calm, $"{leads:N0} of {expected:N0} leads in the ledger, {qualified:N0} times one qualified");
            },
            TimeSpan.FromMinutes(2), "The leads do not reach the ledger", ct);
    }

    /// <summary>The people by the ids that the leads were given.</summary>
    private static async Task<Dictionary<string, Person>> Identify(Gateway gateway, IReadOnlyList<Person> people, CancellationToken ct)
    {
        var byUser = people.ToDictionary(person => person.UserId);
        var found = new Dictionary<string, Person>();
        foreach (var lead in await gateway.List("/v1/leads", "leads", ct))
        {
            if (byUser.TryGetValue(lead.Text("externalId"), out var person))
            {
                found[lead.Text("id")] = person;
            }
        }

        return found;
    }
}
