using Lifecycle.Conversion.Domain.Crm;

namespace Lifecycle.Conversion.Storage;

/// <summary>A connection to a CRM.</summary>
public sealed class CrmConnectionRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    public bool Enabled { get; set; } = true;

    /// <summary>Why it was disabled, where it was not by a caller.</summary>
    public string? DisableReason { get; set; }

    public string? OutboundUrl { get; set; }

    /// <summary>JSON object: field of the CRM → pointer into the lead.</summary>
    public string FieldMap { get; set; } = "{}";

    /// <summary>JSON of <see cref="CrmMapping"/>.</summary>
    public required string Inbound { get; set; }

    public string? PullUrl { get; set; }

    public string AuthHeader { get; set; } = "Authorization";

    /// <summary>Closed by the secret box.</summary>
    public string? AuthSecret { get; set; }

    /// <summary>JSON of <see cref="CrmMapping"/>.</summary>
    public string? PullMapping { get; set; }

    public string NextCursor { get; set; } = "";

    public int IntervalSeconds { get; set; } = 300;

    /// <summary>When it pulls next; null while it does not.</summary>
    public DateTimeOffset? PullDueTime { get; set; }

    /// <summary>Latest change seen; the next pull begins there.</summary>
    public DateTimeOffset? PullSince { get; set; }

    public DateTimeOffset? LastPullTime { get; set; }

    public string? LastPullError { get; set; }

    /// <summary>Pulls that failed one after another.</summary>
    public int PullFailures { get; set; }

    /// <summary>Signing secret, closed by the secret box.</summary>
    public required string Secret { get; set; }

    /// <summary>The one before, while it holds.</summary>
    public string? PreviousSecret { get; set; }

    public DateTimeOffset? PreviousUntil { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>What became of something that came in. Its key makes a webhook that comes twice count once.</summary>
public sealed class CrmReceiptRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid ConnectionId { get; init; }

    public required string WebhookId { get; init; }

    public required DateTimeOffset ReceiveTime { get; init; }

    public int Applied { get; set; }

    public int Unchanged { get; set; }

    public int Ignored { get; set; }

    public int Rejected { get; set; }

    public string[] Errors { get; set; } = [];
}

/// <summary>How won deals are told to GA4.</summary>
public sealed class AnalyticsExportRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>Id of the endpoint in the queue of deliveries.</summary>
    public required Guid Id { get; init; }

    public bool Enabled { get; set; }

    public required string Endpoint { get; set; }

    public required string MeasurementId { get; set; }

    /// <summary>Closed by the secret box.</summary>
    public string? ApiSecret { get; set; }

    public required string EventName { get; set; }

    public required string ClientIdTrait { get; set; }

    public string? DisableReason { get; set; }
}

/// <summary>A file of offline conversions that was handed out.</summary>
public sealed class OfflineExportRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public required string Actor { get; init; }

    public required DateTimeOffset FromTime { get; init; }

    public required DateTimeOffset ToTime { get; init; }

    public required string ClickIdType { get; init; }

    public required string ConversionName { get; init; }

    public required bool OnlyNew { get; init; }

    public int Conversions { get; set; }
}

/// <summary>A deal of such a file.</summary>
public sealed class OfflineExportDealRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid ExportId { get; init; }

    public required Guid OpportunityId { get; init; }
}
