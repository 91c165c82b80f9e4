using System.ComponentModel.DataAnnotations;

namespace Lifecycle.ServiceDefaults;

/// <summary>Section <c>Lifecycle:Telemetry</c>.</summary>
public sealed class TelemetryOptions
{
    public const string Section = "Lifecycle:Telemetry";

    /// <summary>
    /// Traces a second that a process records of endpoints called by thousands (<see cref="FrequentEndpoint"/>); the rest of theirs is
    /// dropped here and in the services behind. What comes slower is recorded whole.
    /// </summary>
    [Range(0, 1_000_000)]
    public int FrequentTracesPerSecond { get; set; } = 10;
}

/// <summary>Endpoint metadata: called so often that only some of its traces are recorded.</summary>
public record FrequentEndpoint;
