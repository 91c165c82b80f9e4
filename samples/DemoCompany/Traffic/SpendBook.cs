using System.Globalization;
using System.Text;
using DemoCompany.Market;

namespace DemoCompany.Traffic;

/// <summary>What the paid visits cost, by day and campaign.</summary>
internal sealed class SpendBook(Plan plan)
{
    private readonly SortedDictionary<(string Day, string Source, string Medium, string Campaign), (Source Source, int Visits)> clicks = [];

    public void Click(Source source, DateTimeOffset time)
    {
        if (source is { CostPerClick: > 0, Utm: var (name, medium, campaign) })
        {
            var key = (Plan.Day(time), name, medium, campaign);
            clicks[key] = (source, clicks.GetValueOrDefault(key).Visits + 1);
        }
    }

    /// <summary>One row per day and campaign. Some clicks are paid for and never arrive; prices move a little from day to day.</summary>
    public string Csv()
    {
        var csv = new StringBuilder("date,source,medium,campaign,amount,impressions,clicks\n");
        var row = 0UL;
        foreach (var ((day, name, medium, campaign), (source, visits)) in clicks)
        {
            var dice = new Dice(plan.Seed, 2, row++);
            var count = visits + dice.Times(0.12 * visits / (visits + 1), visits);
            var impressions = (int)(count / source.ClickThroughRate * dice.Between(0.8, 1.3));
            var cost = count * source.CostPerClick * dice.Between(0.88, 1.12);
            csv.Append(CultureInfo.InvariantCulture, $"{day},{name},{medium},{campaign},{cost:0.00},{impressions},{count}\n");
        }

        return csv.ToString();
    }
}
