namespace Lifecycle.Postgres;

/// <summary>What a service knows of a workspace, for work that no request starts.</summary>
public sealed record Workspace
{
    public required Guid Id { get; init; }

    public required string DisplayName { get; init; }

    /// <summary>IANA name, e.g. <c>Europe/Berlin</c>.</summary>
    public required string TimeZone { get; init; }

    /// <summary>ISO 4217 code in which reports are told.</summary>
    public required string CurrencyCode { get; init; }

    /// <summary>The highest seen; an event with a lower one is stale.</summary>
    public required long Version { get; init; }
}
