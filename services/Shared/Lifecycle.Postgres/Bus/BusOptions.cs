using System.ComponentModel.DataAnnotations;

namespace Lifecycle.Postgres.Bus;

/// <summary>Section <c>Lifecycle:Bus</c>.</summary>
public sealed class BusOptions
{
    public const string Section = "Lifecycle:Bus";

    /// <summary>Messages of one queue that the broker hands out before the first is acknowledged.</summary>
    [Range(1, 1000)]
    public int PrefetchCount { get; set; } = 32;

    /// <summary>Messages of one queue handled at a time.</summary>
    [Range(1, 200)]
    public int ConcurrentMessages { get; set; } = 4;

    /// <summary>Replicated queues, for a broker of several nodes. Changing it needs new queues.</summary>
    public bool QuorumQueues { get; set; }

}
