namespace Lifecycle.Retention.Domain;

/// <summary>Customers who began in the same month: members of a program and others, and how many of each did something.</summary>
/// <param name="Members">Members, 0 or more.</param>
/// <param name="MembersDid">Of these, those who did; at most <paramref name="Members"/>.</param>
/// <param name="Others">Customers who are no members.</param>
/// <param name="OthersDid">Of these, those who did.</param>
public readonly record struct CohortPair(long Members, long MembersDid, long Others, long OthersDid);

/// <summary>How much likelier members did something than others of the same starting months.</summary>
/// <param name="MembersShare">Share of members who did, 0 to 1.</param>
/// <param name="Difference">Share of members less that of comparable others, -1 to 1.</param>
/// <param name="Low">Lower end of the 95 % interval of the difference.</param>
/// <param name="High">Its upper end.</param>
public sealed record ShareDifference(double MembersShare, double Difference, double Low, double High);

/// <summary>Compares members with others who have been customers as long.</summary>
public static class ComparedShares
{
    /// <summary>Fewest members, and fewest others, of whom anything is said.</summary>
    public const int Least = 30;

    /// <summary>The cohorts that have both members and others: only these can be compared.</summary>
    public static (long Members, long Others) Comparable(IEnumerable<CohortPair> cohorts)
    {
        var both = cohorts.Where(IsComparable).ToArray();
        return (both.Sum(cohort => cohort.Members), both.Sum(cohort => cohort.Others));
    }

    /// <summary>
    /// Risk difference of Mantel and Haenszel over the cohorts, Σ (a·n₀ − b·n₁) / N over Σ n₁·n₀ / N, with the variance of Sato (On the
    /// variance estimator for the Mantel-Haenszel risk difference, Biometrics 45, 1989), which holds for few large cohorts and for many
    /// small ones. Null with fewer than <see cref="Least"/> on a side, or where nobody or everybody did.
    /// </summary>
    public static ShareDifference? Compare(IReadOnlyCollection<CohortPair> cohorts)
    {
        var (members, others) = Comparable(cohorts);
        var both = cohorts.Where(IsComparable).ToArray();
        var did = both.Sum(cohort => cohort.MembersDid + cohort.OthersDid);
        if (members < Least || others < Least || did == 0 || did == members + others)
        {
            return null;
        }

        double difference = 0, weight = 0, p = 0, q = 0;
        foreach (var cohort in both)
        {
            double n1 = cohort.Members, n0 = cohort.Others, a = cohort.MembersDid, b = cohort.OthersDid, n = n1 + n0;
            difference += ((a * n0) - (b * n1)) / n;
            weight += n1 * n0 / n;
            p += ((n1 * n1 * b) - (n0 * n0 * a) + (n1 * n0 * (n0 - n1) / 2)) / (n * n);
            q += ((a * (n0 - b)) + (b * (n1 - a))) / (2 * n);
        }

        difference /= weight;
        const double Quantile = 1.959963984540054;
        var half = Quantile * Math.Sqrt(Math.Max(((difference * p) + q) / (weight * weight), 0));
        return new(
            both.Sum(cohort => cohort.MembersDid) / (double)members, difference, Math.Max(difference - half, -1),
            Math.Min(difference + half, 1));
    }

    private static bool IsComparable(CohortPair cohort) => cohort is { Members: > 0, Others: > 0 };
}
