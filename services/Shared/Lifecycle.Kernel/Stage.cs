namespace Lifecycle.Kernel;

/// <summary>A place in the life of a lead. The order of the values up to <see cref="Advocate"/> is the order of the funnel.</summary>
public enum Stage
{
    /// <summary>Anonymous.</summary>
    Visitor = 1,

    /// <summary>Known, not yet qualified.</summary>
    Lead = 2,

    /// <summary>Marketing qualified.</summary>
    Mql = 3,

    /// <summary>Sales accepted.</summary>
    Sql = 4,

    /// <summary>Has an open opportunity.</summary>
    Opportunity = 5,

    /// <summary>Has bought.</summary>
    Customer = 6,

    /// <summary>Customer who recommends.</summary>
    Advocate = 7,

    /// <summary>Ruled out.</summary>
    Disqualified = 8,

    /// <summary>Customer who left.</summary>
    Churned = 9,
}

/// <summary>The names that the API, the events and the tables use for stages: capitals, as in <c>MQL</c>.</summary>
public static class StageNames
{
    private static readonly Dictionary<Stage, string> Names = Enum.GetValues<Stage>().ToDictionary(
        stage => stage, stage => stage.ToString().ToUpperInvariant());
    private static readonly Dictionary<string, Stage> Stages = Names.ToDictionary(
        pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    public static string Name(this Stage stage) => Names[stage];

    public static bool TryParse(string? name, out Stage stage) => Stages.TryGetValue(name ?? "", out stage);

    /// <exception cref="KeyNotFoundException">No such stage.</exception>
    public static Stage Parse(string name) => Stages[name];
}
