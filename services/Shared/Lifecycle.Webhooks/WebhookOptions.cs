using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Lifecycle.Webhooks;

/// <summary>Settings of what is sent to addresses that users name, section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions : IValidatableObject
{
    public const string Section = "Webhooks";

    /// <summary>Private networks that may be spoken to, e.g. <c>10.1.0.0/16</c>; none by default.</summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Longest wait for an answer.</summary>
    [Range(1, 120)]
    public int TimeoutSeconds { get; set; } = 20;

    /// <summary>How often what is due is looked for.</summary>
    [Range(1, 3600)]
    public int PollSeconds { get; set; } = 5;

    /// <summary>Deliveries taken in one round of a workspace.</summary>
    [Range(1, 1000)]
    public int Batch { get; set; } = 50;

    /// <summary>Deliveries of a round that are under way at once.</summary>
    [Range(1, 200)]
    public int Concurrency { get; set; } = 16;

    /// <summary>Days that the log of a delivery is kept after its last attempt was due.</summary>
    [Range(1, 3650)]
    public int RetentionDays { get; set; } = 30;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var text in AllowedNetworks.Where(text => !IPNetwork.TryParse(text, out _)))
        {
            yield return new($"Webhooks:AllowedNetworks: {text} is no network such as 10.1.0.0/16.", [nameof(AllowedNetworks)]);
        }
    }
}
