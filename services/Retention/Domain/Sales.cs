namespace Lifecycle.Retention.Domain;

/// <summary>Which ledger entries are sales.</summary>
public static class Sales
{
    /// <summary>
    /// Sold: first sale, upsell, cross-sell and renewal. Contraction and churn are no sales; a reactivation is told as its own movement.
    /// </summary>
    public static bool IsSale(this RevenueType type) =>
        type is RevenueType.New or RevenueType.Upsell or RevenueType.CrossSell or RevenueType.Renewal;

    /// <summary>Sold on top of the first sale.</summary>
    public static bool IsExpansion(this RevenueType type) => type is RevenueType.Upsell or RevenueType.CrossSell;
}
