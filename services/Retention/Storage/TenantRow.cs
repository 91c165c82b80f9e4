namespace Lifecycle.Retention.Storage;

/// <summary>Row that belongs to a workspace.</summary>
public abstract class TenantRow
{
    public required Guid WorkspaceId { get; init; }
}
