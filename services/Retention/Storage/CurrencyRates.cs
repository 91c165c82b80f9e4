using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Retention.Storage;

/// <summary>Converts amounts at the supplied rates: the newest at or before the entry's day.</summary>
/// <param name="tx">The transaction.</param>
/// <param name="currencyCode">The workspace's currency.</param>
/// <param name="timeZone">The workspace's zone, which tells an instant's day.</param>
internal sealed class CurrencyRates(Transaction<RetentionDbContext> tx, string currencyCode, TimeZoneInfo timeZone)
{
    private readonly Dictionary<(string CurrencyCode, DateOnly Day), decimal?> known = [];

    /// <summary>Reads the rates of many amounts in one statement.</summary>
    public async Task Load(IEnumerable<(string CurrencyCode, DateTimeOffset Time)> amounts)
    {
        var asked = amounts.Where(one => one.CurrencyCode != currencyCode).Select(one => (one.CurrencyCode, Day(one.Time))).Distinct()
            .Where(one => !known.ContainsKey(one)).ToArray();
        if (asked.Length == 0)
        {
            return;
        }

        // Index (workspace_id, currency_code, date), read backwards from the day.
        var rows = await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            """
            select n.currency_code, n.day, r.rate from unnest(@codes, @days) as n(currency_code, day)
            left join lateral (
              select rate from currency_rate r where r.workspace_id = @workspace and r.currency_code = n.currency_code and r.date <= n.day
              order by r.date desc limit 1) r on true
            """,
            new
            {
                workspace = tx.WorkspaceId,
                codes = asked.Select(one => one.CurrencyCode).ToArray(),
                days = asked.Select(one => one.Item2).ToArray()
            },
            cancellationToken: tx.CancellationToken));
        foreach (var row in rows)
        {
            known[(row.CurrencyCode, row.Day)] = row.Rate;
        }
    }

    /// <summary>
    /// The amount in the workspace's currency, rounded half to even to 6 decimals. INVALID_ARGUMENT where no rate is known. Call
    /// <see cref="Load"/> first.
    /// </summary>
    public Result<decimal> Convert(Money money, DateTimeOffset time, string field = "amount")
    {
        if (money.CurrencyCode == currencyCode)
        {
            return money.Amount;
        }

        return known.GetValueOrDefault((money.CurrencyCode, Day(time))) is { } rate
            ? Math.Round(money.Amount * rate, 6)
            : Error.Invalid(
                $"{field}.currencyCode",
                $"{field}.currencyCode is {money.CurrencyCode}, and no rate to {currencyCode} is known at or before {Day(time):yyyy-MM-dd}; supply one with PUT /v1/currencyRates.");
    }

    public async Task<Result<decimal>> ConvertOne(Money money, DateTimeOffset time, string field = "amount")
    {
        await Load([(money.CurrencyCode, time)]);
        return Convert(money, time, field);
    }

    /// <summary>Rates of work that no caller starts, such as an event's. An unknown workspace has the currency of the amount.</summary>
    public static async Task<CurrencyRates> Of(Transaction<RetentionDbContext> tx, string amountCurrencyCode)
    {
        var workspace = await tx.Db.Workspaces.FindAsync([tx.WorkspaceId], tx.CancellationToken);
        return new(tx, workspace?.CurrencyCode ?? amountCurrencyCode, workspace is null
            ? TimeZoneInfo.Utc
            : TimeZoneInfo.FindSystemTimeZoneById(workspace.TimeZone));
    }

    private DateOnly Day(DateTimeOffset time) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time, timeZone).DateTime);

    private sealed class Row
    {
        public string CurrencyCode { get; init; } = "";

        public DateOnly Day { get; init; }

        public decimal? Rate { get; init; }
    }
}
