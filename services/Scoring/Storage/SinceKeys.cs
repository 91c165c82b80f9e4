namespace Lifecycle.Scoring.Storage;

/// <summary>
/// How a lead keeps since when a rule has held: by rule id, and for scores besides <c>default</c> with their name before it.
/// </summary>
internal static class SinceKeys
{
    public static string Key(string scoreName, string ruleId) => scoreName == ModelStore.DefaultScore ? ruleId : $"{scoreName}/{ruleId}";

    /// <summary>Those of one score, by rule id.</summary>
    public static IReadOnlyDictionary<string, DateTimeOffset> Of(IReadOnlyDictionary<string, DateTimeOffset> all, string scoreName)
    {
        var prefix = $"{scoreName}/";
        return scoreName == ModelStore.DefaultScore
            ? all
            : all.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
                .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);
    }
}
