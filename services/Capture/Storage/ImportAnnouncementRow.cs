namespace Lifecycle.Capture.Storage;

/// <summary>Leads that an import made or changed and of which the other services are still to hear.</summary>
internal sealed class ImportAnnouncementRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    /// <summary>New leads.</summary>
    public required Guid[] CapturedIds { get; init; }

    /// <summary>Changed ones.</summary>
    public required Guid[] UpdatedIds { get; init; }
}
