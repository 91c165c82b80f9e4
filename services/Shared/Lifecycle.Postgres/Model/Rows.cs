namespace Lifecycle.Postgres.Model;

/// <summary>An event that is committed and not yet confirmed by the broker.</summary>
internal sealed class OutboxRow
{
    public long Seq { get; init; }

    public required Guid MessageId { get; init; }

    /// <summary>Name of the event, e.g. <c>LeadCaptured</c>.</summary>
    public required string Type { get; init; }

    public required string Body { get; init; }

    /// <summary><c>traceparent</c> and <c>workspace</c>.</summary>
    public required string Headers { get; init; }

    /// <summary>Rows with the same key are published in order of <see cref="Seq"/>.</summary>
    public string? OrderingKey { get; init; }

    public int Attempts { get; init; }

    /// <summary>Held back until then after a failure.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Given up; waits for an operator.</summary>
    public bool Parked { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A message that a consumer has handled.</summary>
internal sealed class InboxRow
{
    public required Guid MessageId { get; init; }

    public required string Consumer { get; init; }

    public DateTimeOffset HandledAt { get; init; }
}

/// <summary>The answer to a request with a request id.</summary>
internal sealed class IdempotencyRow
{
    public required Guid WorkspaceId { get; init; }

    public required string Method { get; init; }

    public required string RequestId { get; init; }

    /// <summary>SHA-256 of the request without its id.</summary>
    public required byte[] RequestHash { get; init; }

    /// <summary>Set before the commit; null in a committed row once the person it spoke of is erased.</summary>
    public byte[]? Response { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}
