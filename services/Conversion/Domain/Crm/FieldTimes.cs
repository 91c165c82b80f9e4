using Lifecycle.Conversion.Domain.Opportunities;

namespace Lifecycle.Conversion.Domain.Crm;

/// <summary>
/// The conflict rule of the sync: of each field the latest change holds, by the time of the change, wherever it was made. What is as old as
/// what is held, or older, is passed over. Won and lost are final and no change comes too late for that.
/// </summary>
public static class FieldTimes
{
    /// <summary>What of the row is newer than what is held; the rest is taken out.</summary>
    /// <param name="row">A row that the CRM changed at <paramref name="changed"/>.</param>
    /// <param name="held">When each field was changed last; one that is missing never was.</param>
    public static OpportunityImport Newer(OpportunityImport row, IReadOnlyDictionary<string, DateTimeOffset> held, DateTimeOffset changed)
    {
        bool IsNewer(string field) => !held.TryGetValue(field, out var last) || last < changed;
        var stage = IsNewer("stage");
        return row with
        {
            Name = IsNewer("name") ? row.Name : null,
            Amount = IsNewer("amount") ? row.Amount : null,
            Owner = IsNewer("owner") ? row.Owner : null,
            Product = IsNewer("product") ? row.Product : null,
            Account = IsNewer("account") ? row.Account : null,
            ExpectedCloseDate = IsNewer("expectedCloseDate") ? row.ExpectedCloseDate : null,
            CreateTime = IsNewer("createTime") ? row.CreateTime : null,
            State = stage ? row.State : OpportunityState.Open,
            Stage = stage ? row.Stage : null,
            CloseTime = stage ? row.CloseTime : null,
            LoseReason = stage ? row.LoseReason : null,
            Competitor = stage ? row.Competitor : null,
        };
    }

    /// <summary>The fields that a row says something of.</summary>
    public static IEnumerable<string> Given(OpportunityImport row) => new (string Field, bool IsGiven)[]
    {
        ("name", row.Name is not null), ("amount", row.Amount is not null), ("owner", row.Owner is not null),
            ("product", row.Product is not null),
        ("account", row.Account is not null), ("expectedCloseDate", row.ExpectedCloseDate is not null),
            ("createTime", row.CreateTime is not null),
        ("stage", row.Stage is not null || row.State != OpportunityState.Open),
    }.Where(field => field.IsGiven).Select(field => field.Field);

    /// <summary>The times after a change; a field's time never runs back.</summary>
    public static Dictionary<string, DateTimeOffset> Stamp(
        IReadOnlyDictionary<string, DateTimeOffset> held, IEnumerable<string> fields, DateTimeOffset time)
    {
        var stamped = new Dictionary<string, DateTimeOffset>(held, StringComparer.Ordinal);
        foreach (var field in fields)
        {
            stamped[field] = stamped.TryGetValue(field, out var last) && last > time ? last : time;
        }

        return stamped;
    }
}
