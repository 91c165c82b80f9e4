namespace Lifecycle.Retention.Domain;

/// <summary>How answers of a survey are scored.</summary>
public enum SurveyType
{
    Nps = 1,
    Csat = 2,
    Ces = 3,
}

/// <summary>Counts of NPS answers: promoters 9–10, passives 7–8, detractors 0–6.</summary>
public readonly record struct NpsCount(long Promoters, long Passives, long Detractors)
{
    public long Answers => Promoters + Passives + Detractors;

    /// <summary>Share of promoters − share of detractors over all answers, in points from −100 to 100; null without answers.</summary>
    public double? Score => Answers == 0 ? null : 100.0 * (Promoters - Detractors) / Answers;

    public static NpsCount Of(IEnumerable<int> scores)
    {
        var (promoters, passives, detractors) = (0L, 0L, 0L);
        foreach (var score in scores)
        {
            _ = score switch
            {
                >= 9 => promoters++,
                >= 7 => passives++,
                _ => detractors++,
            };
        }

        return new(promoters, passives, detractors);
    }
}

/// <summary>Ranges and usual questions of the survey types.</summary>
public static class SurveyTypes
{
    /// <summary>Lowest and highest score: NPS 0–10, CSAT 1–5, CES 1–7.</summary>
    public static (int Low, int High) Range(this SurveyType type) => type switch
    {
        SurveyType.Nps => (0, 10),
        SurveyType.Csat => (1, 5),
        _ => (1, 7),
    };

    public static string UsualQuestion(this SurveyType type) => type switch
    {
        SurveyType.Nps => "How likely are you to recommend us to a friend or colleague?",
        SurveyType.Csat => "How satisfied are you with us?",
        _ => "How easy is it to work with us?",
    };
}
