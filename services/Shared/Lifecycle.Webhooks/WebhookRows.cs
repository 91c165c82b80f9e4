using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Webhooks;

/// <summary>Something that is sent until it arrives.</summary>
public sealed class WebhookDeliveryRow
{
    public const string Pending = "PENDING";
    public const string Delivered = "DELIVERED";
    public const string Failed = "FAILED";
    public const string Cancelled = "CANCELLED";

    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    /// <summary>Whom it goes to; the service that made it knows where that is.</summary>
    public required Guid EndpointId { get; init; }

    public required string Type { get; init; }

    /// <summary>The same for each attempt and replay.</summary>
    public required string WebhookId { get; init; }

    /// <summary>JSON as it is signed and sent; empty once its person was erased.</summary>
    public required string Body { get; set; }

    /// <summary>Lead it speaks of.</summary>
    public Guid? LeadId { get; set; }

    public string State { get; set; } = Pending;

    /// <summary>Attempts since it was made or replayed.</summary>
    public int Attempts { get; set; }

    /// <summary>When it is tried next; null when it is not.</summary>
    public DateTimeOffset? DueTime { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>One attempt of a delivery.</summary>
public sealed class WebhookAttemptRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid DeliveryId { get; init; }

    public required Guid Id { get; init; }

    public required DateTimeOffset Time { get; init; }

    /// <summary>HTTP status; 0 where no answer came.</summary>
    public required int Status { get; init; }

    public string? Error { get; init; }

    public required int Milliseconds { get; init; }
}

/// <summary>The tables of deliveries in a service's model.</summary>
public static class WebhookModel
{
    /// <summary>Adds <c>webhook_delivery</c> and <c>webhook_attempt</c>.</summary>
    public static ModelBuilder AddWebhookDeliveries(this ModelBuilder model)
    {
        model.Entity<WebhookDeliveryRow>(delivery =>
        {
            delivery.ToTable("webhook_delivery").HasKey(row => new { row.WorkspaceId, row.Id });
            // The dispatcher takes what is due.
            delivery.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("due_time is not null");
            // The log of one endpoint, newest first.
            delivery.HasIndex(row => new { row.WorkspaceId, row.EndpointId, row.CreateTime, row.Id });
            // An erasure asks for a person's.
            delivery.HasIndex(row => new { row.WorkspaceId, row.LeadId }).HasFilter("lead_id is not null");
        });
        model.Entity<WebhookAttemptRow>(attempt => attempt.ToTable("webhook_attempt")
            .HasKey(row => new { row.WorkspaceId, row.DeliveryId, row.Id }));
        return model;
    }
}
