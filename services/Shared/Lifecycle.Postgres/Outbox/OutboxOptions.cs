using System.ComponentModel.DataAnnotations;

namespace Lifecycle.Postgres.Outbox;

/// <summary>Section <c>Lifecycle:Outbox</c>.</summary>
public sealed class OutboxOptions
{
    public const string Section = "Lifecycle:Outbox";

    /// <summary>Rows read at a time.</summary>
    [Range(1, 5000)]
    public int BatchSize { get; set; } = 500;

    /// <summary>Messages that wait for the broker's confirmation at a time.</summary>
    [Range(1, 1000)]
    public int ConcurrentPublishes { get; set; } = 100;

    /// <summary>
    /// How long a confirmation may take before the broker counts as out of reach. It bounds the recovery too: the client can wait for ever
    /// for a confirmation whose connection was closed, and holds up the next connection that long (rabbitmq-dotnet-client issue 1930).
    /// </summary>
    [Range(1, 300)]
    public int PublishTimeoutSeconds { get; set; } = 10;

    /// <summary>Attempts for one message, the broker being there, before the row is parked.</summary>
    [Range(1, 1000)]
    public int MaxAttempts { get; set; } = 10;

    [Range(0.01, 3600)]
    public double FirstRetrySeconds { get; set; } = 1;

    [Range(0.01, 86400)]
    public double LastRetrySeconds { get; set; } = 300;

    /// <summary>Look at the table that often, even if no signal arrives.</summary>
    [Range(10, 60000)]
    public int PollMilliseconds { get; set; } = 1000;

    /// <summary>Health is degraded when the oldest event waits longer than this.</summary>
    [Range(1, 86400)]
    public int DegradedAfterSeconds { get; set; } = 30;

    /// <summary>How long the inbox remembers a message, and the idempotency table a request.</summary>
    [Range(1, 365)]
    public int RememberDays { get; set; } = 7;
}
