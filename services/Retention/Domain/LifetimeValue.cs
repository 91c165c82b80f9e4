namespace Lifecycle.Retention.Domain;

/// <summary>What a customer is worth over its time.</summary>
public static class LifetimeValue
{
    /// <summary>Average length of a month in the Gregorian calendar, days: 365.2425 / 12.</summary>
    public const double DaysPerMonth = 30.436875;

    /// <summary>
    /// Average MRR per customer at the start × months of the period / churn rate of the period: the average revenue of a month times the
    /// expected stay (1 / churn rate) in months. 100 customers with 5,000.00 MRR of which 2 leave in a month: 50.00 / 0.02 = 2,500.00. Null
    /// without customers at the start, and without a loss, whose expected stay has no end.
    /// </summary>
    /// <param name="mrrAtStart">MRR of all customers at the start.</param>
    /// <param name="churn">Customers over the period.</param>
    /// <param name="days">Length of the period.</param>
    public static decimal? Of(decimal mrrAtStart, ChurnCount churn, double days) => churn.AtStart == 0 || churn.Lost == 0
        ? null
        : Math.Round(
            mrrAtStart / churn.AtStart * (decimal)(days is >= 28 and <= 31 ? 1 : days / DaysPerMonth) * churn.AtStart / churn.Lost, 6);
}
