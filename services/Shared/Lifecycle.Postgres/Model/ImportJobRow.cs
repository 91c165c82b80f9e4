namespace Lifecycle.Postgres.Model;

/// <summary>How far an import with a request id has come, kept with each of its transactions.</summary>
internal sealed class ImportJobRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>What is imported: <c>leads</c>, <c>spend</c> and the like.</summary>
    public required string Kind { get; init; }

    public required string RequestId { get; init; }

    /// <summary>Rows of the file that are handled.</summary>
    public long Rows { get; init; }

    /// <summary>SHA-256 over those rows.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>The answer so far, as proto JSON.</summary>
    public required string Answer { get; init; }

    /// <summary>The file was read to its end.</summary>
    public bool Complete { get; init; }

    public DateTimeOffset UpdateTime { get; init; }
}
