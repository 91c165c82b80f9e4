using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Lifecycle.Retention.Domain;

/// <summary>A survey's figure with its 95 % interval; null where there is too little to say it of.</summary>
public readonly record struct SurveyScore(double? Score, double? Low, double? High);

/// <summary>What a score says of the customer.</summary>
public enum ScoreCategory
{
    Promoter = 1,
    Passive = 2,
    Detractor = 3,
}

/// <summary>Figures of surveys.</summary>
public static class SurveyMath
{
    /// <summary>97.5 % quantile of the standard normal distribution: two-sided 95 %.</summary>
    private const double Z = 1.959963984540054;

    /// <summary>Lowest score of a promoter and highest of a detractor: NPS 9 and 6, CSAT 4 and 2, CES 5 and 3.</summary>
    public static (int Promoter, int Detractor) Bounds(this SurveyType type) => type switch
    {
        SurveyType.Nps => (9, 6),
        SurveyType.Csat => (4, 2),
        _ => (5, 3),
    };

    public static ScoreCategory Category(this SurveyType type, int score) =>
        score >= type.Bounds().Promoter ? ScoreCategory.Promoter
        : score <= type.Bounds().Detractor ? ScoreCategory.Detractor : ScoreCategory.Passive;

    /// <summary>NPS in points, CSAT in percent of 4 and 5, CES as mean.</summary>
    public static SurveyScore Score(SurveyType type, IReadOnlyCollection<int> scores) => type switch
    {
        SurveyType.Nps => Nps(NpsCount.Of(scores)),
        SurveyType.Csat => Share(scores.Count(score => score >= 4), scores.Count),
        _ => Mean(scores),
    };

    /// <summary>
    /// NPS with its adjusted Wald interval: three answers are added, of them 3/4 a promoter's, 3/2 a passive's and 3/4 a detractor's; each
    /// answer counts 1, 0 or −1, so that with shares p and d of the enlarged sample n the variance is p + d − (p − d)², and the interval is
    /// (p − d) ± z·√(variance / n), within −100 to 100 points.
    /// </summary>
    /// <remarks>
    /// Source: B. Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician 70(4), 2016, where this interval
    /// covers best over samples small and large. The score itself stays the plain one.
    /// </remarks>
    public static SurveyScore Nps(NpsCount count)
    {
        if (count.Answers == 0)
        {
            return default;
        }

        var n = count.Answers + 3.0;
        var (p, d) = ((count.Promoters + 0.75) / n, (count.Detractors + 0.75) / n);
        var half = Z * Math.Sqrt((p + d - ((p - d) * (p - d))) / n);
        return new(count.Score, Math.Max(-100, 100 * (p - d - half)), Math.Min(100, 100 * (p - d + half)));
    }

    /// <summary>A share in percent with its Wilson score interval (E. B. Wilson, 1927).</summary>
    public static SurveyScore Share(int hits, int all)
    {
        if (all == 0)
        {
            return default;
        }

        var (share, z2) = ((double)hits / all, Z * Z);
        var middle = (share + (z2 / (2 * all))) / (1 + (z2 / all));
        var half = Z / (1 + (z2 / all)) * Math.Sqrt((share * (1 - share) / all) + (z2 / (4.0 * all * all)));
        return new(100 * share, 100 * (middle - half), 100 * (middle + half));
    }

    /// <summary>
    /// A mean with its normal interval, mean ± z·s/√n with the sample's standard deviation s; no interval of fewer than two.
    /// </summary>
    public static SurveyScore Mean(IReadOnlyCollection<int> scores)
    {
        if (scores.Count == 0)
        {
            return default;
        }

        var mean = scores.Average();
        if (scores.Count == 1)
        {
            return new(mean, null, null);
        }

        var half = Z * Math.Sqrt(scores.Sum(score => (score - mean) * (score - mean)) / (scores.Count - 1) / scores.Count);
        return new(mean, mean - half, mean + half);
    }

    /// <summary>
    /// Whether an occasion is drawn: the first 53 bits of SHA-256 over seed, survey, customer and occasion, as a number from 0 to 1, lie
    /// below the share. The same arguments always draw the same.
    /// </summary>
    public static bool IsDrawn(long seed, Guid surveyId, Guid customerId, string occasion, double share)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}|{surveyId}|{customerId}|{occasion}"));
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * (1.0 / (1UL << 53)) < share;
    }
}
