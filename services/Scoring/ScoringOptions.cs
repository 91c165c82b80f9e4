using System.ComponentModel.DataAnnotations;

namespace Lifecycle.Scoring;

/// <summary>Settings of the scoring service, section <c>Scoring</c>.</summary>
public sealed class ScoringOptions
{
    public const string Section = "Scoring";

    /// <summary>Pause before a workspace in which something changed, or was due, is looked at again for what is due.</summary>
    [Range(0.1, 3_600)]
    public double JobPauseSeconds { get; set; } = 1;

    /// <summary>
    /// A lead whose score changed less than so long ago is not demoted yet: while history is filled in, later activities may still be on
    /// their way.
    /// </summary>
    [Range(0, 86_400)]
    public double DecayQuietSeconds { get; set; } = 30;

    /// <summary>Pause between looks at every workspace, for what is due and what Redis lacks. Both are known at once when something
    /// changes: this is for what nobody thought of.</summary>
    [Range(1, 86_400)]
    public double SweepSeconds { get; set; } = 60;

    /// <summary>Longest wait for Redis before Postgres answers.</summary>
    [Range(10, 10_000)]
    public int RedisTimeoutMilliseconds { get; set; } = 500;

    /// <summary>Pause between heartbeats of a watch.</summary>
    [Range(1, 300)]
    public double WatchHeartbeatSeconds { get; set; } = 15;

    /// <summary>Most watches at once per process.</summary>
    [Range(1, 100_000)]
    public int MaxWatches { get; set; } = 1_000;

    /// <summary>Most leads that a simulation looks at within one answer; the stream takes any number.</summary>
    [Range(1, 10_000_000)]
    public int MaxSimulatedLeads { get; set; } = 200_000;

    /// <summary>Most decided leads that a prediction model is learnt from, the latest first.</summary>
    [Range(100, 1_000_000)]
    public int MaxTrainingLeads { get; set; } = 50_000;

    /// <summary>Most leads of which a process remembers how far they are, to count what they do next without reading their history; about
    /// two kilobytes each. 0: none.</summary>
    [Range(0, 10_000_000)]
    public int MaxRememberedLeads { get; set; } = 100_000;

    /// <summary>Pages of 500 leads that a simulation replays at a time, each with a connection of its own.</summary>
    [Range(1, 64)]
    public int SimulationWorkers { get; set; } = 4;
}
