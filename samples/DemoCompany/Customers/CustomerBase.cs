using System.Globalization;
using System.Text;
using DemoCompany.Market;
using DemoCompany.Sales;

namespace DemoCompany.Customers;

/// <summary>A customer as the API knows it.</summary>
/// <param name="LeadId">Null for one that bought before the history.</param>
internal sealed record Customer(string Id, string Key, string? LeadId, Contract Contract);

/// <summary>Those who bought before the history and those who bought in it: contracts, losses, answers, recommendations.</summary>
internal sealed class CustomerBase(
    Gateway gateway, Plan plan, IReadOnlyDictionary<string, Person> people, int connections, Progress progress)
{
    private const string SurveyName = "How likely are you to recommend us?";

    private readonly List<Customer> customers = [];
    private int churned;
    private int answers;
    private int referrals;

    public override string ToString() =>
        $"{customers.Count:N0} customers, {churned:N0} lost, {answers:N0} NPS answers, {referrals:N0} referrals";

    public async Task Load(IReadOnlyList<Win> wins, CancellationToken ct)
    {
        var earlier = await ImportEarlier(ct);
        var won = await AwaitWon(wins, ct);
        customers.AddRange(earlier);
        customers.AddRange(won);
        var entries = await gateway.Import("/v1/revenue:import", RevenueCsv(), ct);
        progress.Say($"{entries.Number("created"):N0} entries of revenue, {entries.Number("unchanged"):N0} known already");
        var survey = await Survey(ct);
        await Parallel.ForEachAsync(
            customers,
            new ParallelOptions { MaxDegreeOfParallelism = connections, CancellationToken = ct },
            async (customer, stop) => await Follow(customer, survey, stop));
    }

    /// <summary>One in a hundred and forty of the visitors' number bought in the two years before.</summary>
    private async Task<List<Customer>> ImportEarlier(CancellationToken ct)
    {
        var csv = new StringBuilder("externalId,displayName,startTime,renewalDate,segment,plan\n");
        var contracts = new Dictionary<string, Contract>();
        for (var index = 0; index < Math.Max(plan.Visitors / 140, 10); index++)
        {
            var dice = new Dice(plan.Seed, 4, (ulong)index);
            var account = Account.Make(dice);
            var start = plan.Start.AddDays(-dice.Between(1, 720));
            var isEnterprise = account.Employees >= 200;
            var key = $"customer-{index:D4}";
            contracts[key] = Contract.Make(
                plan, dice, start, (int)dice.LogNormal(isEnterprise ? 1300 : 430, 0.5), isYearly: dice.Chance(0.4));
            var renewal = start;
            while (renewal < plan.Now)
            {
                renewal = renewal.AddYears(1);
            }

            var (segment, tariff) = isEnterprise ? ("enterprise", "enterprise") : ("business", "team");
            csv.Append(CultureInfo.InvariantCulture, $"{key},{account.Name},{Time(start)},{Plan.Day(renewal)},{segment},{tariff}\n");
        }

        await gateway.Import("/v1/customers:import", csv.ToString(), ct);
        return (await gateway.List("/v1/customers", "customers", ct)).Where(customer => contracts.ContainsKey(customer.Text("externalId")))
            .Select(customer => (Id: customer.Text("id"), Key: customer.Text("externalId")))
            .Select(customer => new Customer(customer.Id, customer.Key, null, contracts[customer.Key])).ToList();
    }

    /// <summary>A won deal makes a customer by itself, a moment later.</summary>
    private async Task<List<Customer>> AwaitWon(IReadOnlyList<Win> wins, CancellationToken ct)
    {
        var found = new Dictionary<string, string>();
        await progress.Until(
            async () =>
            {
                foreach (var customer in await gateway.List("/v1/customers", "customers", ct))
                {
                    found[customer.Text("leadId")] = customer.Text("id");
                }

                var count = wins.Count(win => found.ContainsKey(win.LeadId));
                return (count == wins.Count, $"{count:N0} of {wins.Count:N0} new customers");
            },
            TimeSpan.FromMinutes(2), "Won deals do not become customers", ct);
        return wins.Select(win =>
        {
            var dice = new Dice(plan.Seed, 5, (ulong)win.Person.Index);
            return new Customer(
                found[win.LeadId], $"won-{win.Person.Index}", win.LeadId,
                Contract.Make(plan, dice, win.Time.AddMinutes(5), win.Deal.Monthly, isYearly: dice.Chance(0.25)));
        }).ToList();
    }

    private string RevenueCsv()
    {
        var csv = new StringBuilder("customerId,externalId,type,amount,recurrence,occurTime\n");
        foreach (var customer in customers)
        {
            var number = 0;
            foreach (var entry in customer.Contract.Entries.Where(entry => entry.Time < plan.Now))
            {
                csv.Append(
                    CultureInfo.InvariantCulture,
                    $"{customer.Id},{customer.Key}-{number++},{entry.Type},{entry.Amount}.00,{entry.Recurrence},{Time(entry.Time)}\n");
            }
        }

        return csv.ToString();
    }

    private async Task<string> Survey(CancellationToken ct)
    {
        var known = (await gateway.List("/v1/surveys", "surveys", ct)).Find(survey => survey.Text("displayName") == SurveyName);
        return (known ?? await gateway.Post("/v1/surveys", new { type = "NPS", displayName = SurveyName }, "demo-survey", ct)).Text("id");
    }

    private async Task Follow(Customer customer, string survey, CancellationToken ct)
    {
        foreach (var (answer, index) in customer.Contract.Answers.Select((answer, index) => (answer, index)))
        {
            await gateway.Try(
                $"/v1/surveys/{survey}/answers",
                new { customerId = customer.Id, score = answer.Score, comment = answer.Comment, answerTime = answer.Time },
                $"demo-answer-{customer.Key}-{index}", ct);
            Interlocked.Increment(ref answers);
        }

        if (customer.LeadId is { } leadId && customer.Contract.Answers.FirstOrDefault(answer => answer.Score >= 9) is { } praise)
        {
            await Refer(customer.Key, leadId, praise.Time.AddDays(4), ct);
        }

        if (customer.Contract.ChurnTime is { } time)
        {
            await gateway.Try(
                $"/v1/customers/{customer.Id}:churn", new { reason = customer.Contract.ChurnReason, churnTime = time },
                $"demo-churn-{customer.Id}", ct);
            Interlocked.Increment(ref churned);
        }

        progress.Tick(ToString);
    }

    /// <summary>Somebody who came by a recommendation, later than the praise; else an address that nobody has written from yet.</summary>
    private async Task Refer(string key, string leadId, DateTimeOffset time, CancellationToken ct)
    {
        var person = people[leadId];
        var dice = new Dice(plan.Seed, 6, (ulong)person.Index);
        if (time >= plan.Now || !dice.Chance(0.5))
        {
            return;
        }

        var friends = people.Values.Where(one => one.Source.IsRecommendation && one.Index > person.Index)
            .OrderBy(one => one.Index).ToList();
        var email = friends.Count > 0 && dice.Chance(0.6) ? dice.Pick(friends).Email : $"colleague.{person.Index}@{person.Account.Domain}";
        var referral = new { advocateLeadId = leadId, referredEmail = email, createTime = time };
        if (await gateway.Try("/v1/referrals", referral, $"demo-referral-{key}", ct) is not null)
        {
            Interlocked.Increment(ref referrals);
        }
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
