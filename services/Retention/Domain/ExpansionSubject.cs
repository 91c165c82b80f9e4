using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Retention.Domain;

/// <summary>What rules of expansion may ask of a customer.</summary>
/// <param name="Plan">Plan.</param>
/// <param name="Segment">Segment.</param>
/// <param name="Owner">Who looks after it.</param>
/// <param name="Mrr">MRR now.</param>
/// <param name="TotalRevenue">Everything sold so far.</param>
/// <param name="RiskScore">Risk score; null before it was told.</param>
/// <param name="AtRisk">At or above the threshold.</param>
/// <param name="TenureDays">Days since the start.</param>
/// <param name="RenewalDays">Days to the renewal; null when unknown.</param>
/// <param name="Usage">Uses in the last 30 days.</param>
/// <param name="UsageBefore">Uses in the 30 days before those.</param>
/// <param name="NpsScore">Newest NPS answer of 180 days; null without one.</param>
public sealed record ExpansionSubject(
    string Plan, string Segment, string Owner, decimal Mrr, decimal TotalRevenue, decimal? RiskScore, bool AtRisk, int TenureDays,
    int? RenewalDays, decimal Usage, decimal UsageBefore, int? NpsScore) : IFieldSource
{
    /// <summary>The fields by name.</summary>
    public static readonly FieldCatalog Catalog = new(new Dictionary<string, FieldType>
    {
        ["customer.plan"] = FieldType.Text,
        ["customer.segment"] = FieldType.Text,
        ["customer.owner"] = FieldType.Text,
        ["customer.mrr"] = FieldType.Number,
        ["customer.totalRevenue"] = FieldType.Number,
        ["customer.riskScore"] = FieldType.Number,
        ["customer.atRisk"] = FieldType.Boolean,
        ["customer.tenureDays"] = FieldType.Number,
        ["customer.renewalDays"] = FieldType.Number,
        ["usage.last30Days"] = FieldType.Number,
        ["usage.previous30Days"] = FieldType.Number,
        ["nps.score"] = FieldType.Number,
    });

    public FieldValue Get(Field field) => field.Name switch
    {
        "customer.plan" => FieldValue.Of(Plan),
        "customer.segment" => FieldValue.Of(Segment),
        "customer.owner" => FieldValue.Of(Owner),
        "customer.mrr" => FieldValue.Of(Mrr),
        "customer.totalRevenue" => FieldValue.Of(TotalRevenue),
        "customer.riskScore" => FieldValue.Of(RiskScore),
        "customer.atRisk" => FieldValue.Of(AtRisk),
        "customer.tenureDays" => FieldValue.Of((decimal)TenureDays),
        "customer.renewalDays" => FieldValue.Of((decimal?)RenewalDays),
        "usage.last30Days" => FieldValue.Of(Usage),
        "usage.previous30Days" => FieldValue.Of(UsageBefore),
        "nps.score" => FieldValue.Of((decimal?)NpsScore),
        _ => FieldValue.Missing,
    };
}
