namespace Lifecycle.Contracts;

/// <summary>A workspace was created or changed. Every service keeps the time zone and currency, for work that no request starts.</summary>
/// <param name="TimeZone">IANA name, e.g. <c>Europe/Berlin</c>.</param>
/// <param name="CurrencyCode">ISO 4217 code in which reports are told.</param>
public sealed record WorkspaceUpdated(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, string DisplayName, string TimeZone, string CurrencyCode)
    : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => WorkspaceId.ToString();
}
