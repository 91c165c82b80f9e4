namespace Lifecycle.Capture.Domain.Tracking;

/// <summary>How a workspace's sites are tracked.</summary>
public sealed record TrackingSettings
{
    /// <summary>Browsers keep no cookie longer.</summary>
    public const int MaxCookieDays = 400;

    /// <summary>13 months.</summary>
    public const int DefaultCookieDays = 395;

    /// <summary>What is offered for keeping rather than for reading in the browser.</summary>
    public static readonly IReadOnlyList<string> DefaultDownloadExtensions =
    [
        "7z", "avi", "csv", "dmg", "doc", "docx", "epub", "exe", "gz", "ics", "key", "mov", "mp3", "mp4", "msi", "odp", "ods", "odt", "pdf",
        "pkg", "ppt", "pptx", "rar", "rtf", "tar", "tgz", "txt", "wav", "wmv", "xls", "xlsx", "zip",
    ];

    /// <summary>Of a workspace that has put none.</summary>
    public static TrackingSettings Default { get; } = new();

    /// <summary>Domain of the cookies; empty: the broadest that the browser accepts.</summary>
    public string CookieDomain { get; init; } = "";

    public int CookieDays { get; init; } = DefaultCookieDays;

    /// <summary>Whether nothing is stored nor sent before the visitor's yes.</summary>
    public bool RequireConsent { get; init; }

    /// <summary>Whether Do Not Track counts as a refusal.</summary>
    public bool RespectDnt { get; init; } = true;

    /// <summary>Lower case; each with its subdomains.</summary>
    public IReadOnlyList<string> OwnDomains { get; init; } = [];

    /// <summary>Lower case, without the dot.</summary>
    public IReadOnlyList<string> DownloadExtensions { get; init; } = DefaultDownloadExtensions;

    /// <summary>The number that stands in the pages.</summary>
    public PhoneNumber? DefaultNumber { get; init; }

    public IReadOnlyList<TrackingNumber> Numbers { get; init; } = [];
}

/// <summary>A telephone number.</summary>
/// <param name="Number">E.164, with the plus.</param>
/// <param name="DisplayNumber">As people read it.</param>
public sealed record PhoneNumber(string Number, string DisplayNumber);
